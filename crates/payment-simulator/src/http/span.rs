//! One span per request, below the caller's.

use http::{Request, StatusCode};
use tracing::Span;
use tracing::field::Empty;

/// The span names the route and not the path, which is the caller's text and
/// might be anything.
pub fn of<B>(request: &Request<B>) -> Span {
    let route = route(request.uri().path());
    let method = request.method();
    let span = tracing::info_span!(
        "http",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = %method,
        http.route = route,
        http.response.status_code = Empty,
        order.id = Empty,
        payment.id = Empty,
        "error.type" = Empty,
    );
    telemetry::propagation::set_parent(&span, request.headers());
    span
}

/// `None`: nothing was answered.
pub fn answered(span: &Span, status: Option<StatusCode>) {
    if let Some(status) = status {
        let code = i64::from(status.as_u16());
        span.record("http.response.status_code", code);
    }
    let error = match &status {
        None => "answer_lost",
        Some(status) if status.is_server_error() => status.as_str(),
        Some(_) => return,
    };
    span.record("otel.status_code", "ERROR");
    span.record("error.type", error);
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
