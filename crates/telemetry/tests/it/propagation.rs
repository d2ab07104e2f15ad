//! A trace goes from process to process in headers, and through storage.

use http::HeaderMap;
use telemetry::propagation::{
    current_traceparent, inject, is_sampled, says_sampled, set_parent, set_parent_from,
    traceparent_of,
};
use tracing::info_span;

use crate::json;

const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn trace_of(traceparent: &str) -> &str {
    &traceparent[3..35]
}

fn span_of(traceparent: &str) -> &str {
    &traceparent[36..52]
}

#[test]
fn a_trace_goes_out_and_comes_in_through_headers() {
    let _installed = json("info");
    let mut headers = HeaderMap::new();
    let sent = info_span!("caller").in_scope(|| {
        inject(&mut headers);
        current_traceparent().unwrap()
    });
    assert_eq!(headers["traceparent"], sent);
    let callee = info_span!("callee");
    set_parent(&callee, &headers);
    let inside = callee.in_scope(|| current_traceparent().unwrap());
    assert_eq!(trace_of(&inside), trace_of(&sent));
    assert_ne!(span_of(&inside), span_of(&sent));
}

#[test]
fn what_goes_out_is_the_current_span_and_not_the_one_that_came_in() {
    let _installed = json("info");
    let incoming =
        HeaderMap::from_iter([("traceparent".parse().unwrap(), CALLER.parse().unwrap())]);
    let server = info_span!("server");
    set_parent(&server, &incoming);
    let (server, client) = server.in_scope(|| {
        let client = info_span!("client").in_scope(|| current_traceparent().unwrap());
        (current_traceparent().unwrap(), client)
    });
    assert_eq!(trace_of(&client), trace_of(CALLER));
    assert_ne!(span_of(&client), span_of(CALLER));
    assert_ne!(span_of(&client), span_of(&server));
}

#[test]
fn a_stored_traceparent_continues_the_trace() {
    let _installed = json("info");
    let span = info_span!("relay");
    set_parent_from(&span, CALLER);
    let inside = span.in_scope(|| current_traceparent().unwrap());
    assert_eq!(trace_of(&inside), trace_of(CALLER));
    assert!(
        inside.ends_with("-01"),
        "the caller's decision to sample is kept"
    );
}

#[test]
fn what_is_stored_is_what_a_header_would_say() {
    let installed = json("info");
    for ratio in [1.0, 0.0] {
        installed.guard.sampling().set(ratio);
        let span = info_span!("caller");
        let mut headers = HeaderMap::new();
        span.in_scope(|| inject(&mut headers));
        let stored = traceparent_of(&span).unwrap();
        assert_eq!(headers["traceparent"], stored);
        assert_eq!(is_sampled(&span), ratio > 0.0);
        assert_eq!(says_sampled(&stored), ratio > 0.0);
    }
}

#[test]
fn what_is_no_span_is_not_sampled_and_stored_as_nothing() {
    let _installed = json("info");
    assert_eq!(traceparent_of(&tracing::Span::none()), None);
    assert!(!is_sampled(&tracing::Span::none()));
    assert!(!says_sampled("") && !says_sampled("01"));
    assert!(says_sampled(CALLER));
}

#[test]
fn baggage_and_state_travel_with_the_trace() {
    let _installed = json("info");
    let incoming = HeaderMap::from_iter([
        ("traceparent".parse().unwrap(), CALLER.parse().unwrap()),
        ("tracestate".parse().unwrap(), "vendor=1".parse().unwrap()),
        ("baggage".parse().unwrap(), "tenant=red".parse().unwrap()),
    ]);
    let span = info_span!("server");
    set_parent(&span, &incoming);
    let mut out = HeaderMap::new();
    span.in_scope(|| inject(&mut out));
    assert_eq!(out["tracestate"], "vendor=1");
    assert_eq!(out["baggage"], "tenant=red");
}

#[test]
fn nonsense_in_headers_begins_a_new_trace() {
    let _installed = json("info");
    for nonsense in ["", "00-zz-1-01", "ff", &"0".repeat(500)] {
        let span = info_span!("server");
        set_parent_from(&span, nonsense);
        let inside = span.in_scope(|| current_traceparent().unwrap());
        assert_ne!(trace_of(&inside), "0".repeat(32));
    }
}

#[test]
fn outside_of_any_span_nothing_goes_out() {
    let _installed = json("info");
    let mut headers = HeaderMap::new();
    inject(&mut headers);
    assert!(headers.is_empty());
    assert_eq!(current_traceparent(), None);
}

#[test]
fn the_share_of_traces_that_are_kept_can_be_changed_meanwhile() {
    let installed = json("info");
    let begins_sampled = || {
        let traceparent = info_span!("first").in_scope(|| current_traceparent().unwrap());
        traceparent.ends_with("-01")
    };
    let sampling = installed.guard.sampling();
    assert!(begins_sampled(), "all are, in `test`");
    sampling.set(0.0);
    assert!((0..100).all(|_| !begins_sampled()));
    // A caller's decision is followed all the same.
    let called = info_span!("called");
    set_parent_from(&called, CALLER);
    let inside = called.in_scope(|| current_traceparent().unwrap());
    assert!(inside.ends_with("-01"), "{inside}");
    sampling.set(0.5);
    let sampled = (0..1000).filter(|_| begins_sampled()).count();
    assert!((300..700).contains(&sampled), "{sampled}");
    sampling.set(1.0);
    assert!((0..100).all(|_| begins_sampled()));
}
