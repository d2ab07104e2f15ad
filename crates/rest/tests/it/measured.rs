//! What is counted of requests.

use http::{Method, Request};
use http_body_util::BodyExt;
use testkit::metrics::{alone, counted, is_counted};

use crate::{inventory::ORDER, world::World};

fn requests(verb: &str, route: &str, status: &str) -> (f64, f64) {
    let labels = [
        ("http_request_method", verb),
        ("http_route", route),
        ("http_response_status_code", status),
    ];
    (
        counted("http_requests_total", &labels),
        counted("http_request_duration_seconds_count", &labels),
    )
}

#[test]
fn requests_are_counted_by_pattern_and_strangers_make_no_series() {
    alone(
        "measured::requests_are_counted_by_pattern_and_strangers_make_no_series",
        || async {
            let world = World::new();
            // No handler takes it, which is an answer like another.
            let path = format!("/api/inventory/reservations/{ORDER}");
            let status = world.get(&path).await.status;
            assert_eq!(world.get(&path).await.status, status);
            let route = "/api/inventory/reservations/{order_id}";
            assert_eq!(requests("GET", route, status.as_str()), (2.0, 2.0));
            let odd = Method::from_bytes(b"SPAM").unwrap();
            let request = Request::builder().method(odd);
            world.send(request.uri(path), "").await;
            assert_eq!(requests("_OTHER", route, "405"), (1.0, 1.0));
            for path in ["/spam1", "/api/spam2"] {
                world.get(path).await;
            }
            assert_eq!(requests("GET", "_unknown", "404"), (2.0, 2.0));
            world.get("/openapi.json").await;
            assert_eq!(requests("GET", "/openapi.json", "200"), (1.0, 1.0));
            assert_eq!(counted("http_requests_total", &[]), 6.0);
            assert!(!is_counted(
                "http_requests_total",
                &[("http_route", "/spam1")]
            ));
        },
    );
}

#[test]
fn a_stream_counts_when_it_is_over() {
    alone("measured::a_stream_counts_when_it_is_over", || async {
        let world = World::new();
        let watch = "/api/inventory/watch";
        let response = world.open(Request::get(watch), "").await;
        let mut body = response.into_body();
        body.frame().await.unwrap().unwrap();
        assert_eq!(requests("GET", watch, "200"), (0.0, 0.0));
        drop(body);
        assert_eq!(requests("GET", watch, "200"), (1.0, 1.0));
    });
}
