//! Which pages in browsers may call.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::{Cors, Error};

const PREFLIGHT_IS_GOOD_FOR: Duration = Duration::from_secs(3600);
const ALL: &str = "*";

/// What a page sends beside the headers that it always may.
const ASKED: [&str; 12] = [
    "authorization",
    "content-type",
    "grpc-timeout",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "last-event-id",
    "traceparent",
    "tracestate",
    "x-grpc-web",
    "x-user-agent",
    "accept",
];

/// What a page may read of an answer beside the headers that it always may.
const TOLD: [&str; 9] = [
    "etag",
    "grpc-message",
    "grpc-status",
    "grpc-status-details-bin",
    "idempotent-replayed",
    "link",
    "location",
    "retry-after",
    "www-authenticate",
];

/// No cookies: a token must be sent on purpose, so no foreign page can borrow
/// a visitor's rights.
pub(crate) fn layer(settings: &Cors) -> Result<CorsLayer, Error> {
    let origins = &settings.allowed_origins;
    let allowed = match origins.iter().any(|origin| origin == ALL) {
        true => AllowOrigin::any(),
        false => {
            let origins = origins.iter().map(|origin| parse(origin));
            AllowOrigin::list(origins.collect::<Result<Vec<_>, _>>()?)
        }
    };
    Ok(CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers(ASKED.map(HeaderName::from_static))
        .expose_headers(TOLD.map(HeaderName::from_static))
        .max_age(PREFLIGHT_IS_GOOD_FOR))
}

/// Browsers compare whole origins: a path or a slash at the end fits none.
fn parse(origin: &str) -> Result<HeaderValue, Error> {
    let wrong = || Error::Origin(origin.to_owned());
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| origin.strip_prefix(scheme))
        .ok_or_else(wrong)?;
    if rest.is_empty() || rest.contains(['/', ' ', '*', '?', '#', '@']) {
        return Err(wrong());
    }
    HeaderValue::from_str(origin).map_err(|_| wrong())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_a_host_and_a_port() {
        for good in ["https://shop.example", "http://localhost:3000"] {
            parse(good).unwrap();
        }
        for bad in [
            "shop.example",
            "https://",
            "https://shop.example/",
            "https://*.shop.example",
            "https://ada@shop.example",
            "null",
            "",
        ] {
            let error = parse(bad).unwrap_err().to_string();
            assert!(error.contains("http.cors.allowed_origins"), "{error}");
        }
    }
}
