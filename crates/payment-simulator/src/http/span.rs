//! One span per request, below the caller's.

use http::Request;
use tracing::Span;
use tracing::field::Empty;

/// The span names the route and not the path, which is the caller's text and
/// might be anything.
pub fn of<B>(request: &Request<B>) -> Span {
    let route = route(request.uri().path());
    let method = request.method();
    let span = tracing::info_span!(
        "http request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        http.request.method = %method,
        http.route = route,
        http.response.status_code = Empty,
    );
    telemetry::propagation::set_parent(&span, request.headers());
    span
}

/// `/v1/payment_intents/{id}/capture`: what is not a plain word is an id.
fn route(path: &str) -> String {
    let part = |part| match part {
        "v1" => part,
        word if word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') => word,
        _ => "{id}",
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::route;

    #[test]
    fn a_route_has_no_id_in_it() {
        assert_eq!(
            route("/v1/payment_intents/pi_3MtwBwLkdIwHu7ix28a3tqPa/capture"),
            "/v1/payment_intents/{id}/capture"
        );
        assert_eq!(route("/v1/payment_intents"), "/v1/payment_intents");
        assert_eq!(route("/v1/4242424242424242"), "/v1/{id}");
    }
}
