//! What people and programs ask.

use serde_json::Value;
use trace_store::{Endpoints, Found, TraceStore};

use crate::sender::{With, span, span_id, spans, trace_id, traces_at};

async fn get(endpoints: &Endpoints, path: &str) -> (u16, String) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client
        .get(format!("{}{path}", endpoints.http))
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn found(endpoints: &Endpoints, path: &str) -> Found {
    let (code, text) = get(endpoints, path).await;
    assert_eq!(code, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Two orders whose reservations one batch made, in the trace of the first;
/// the second also has a webhook in a trace of its own.
async fn two_orders() -> (TraceStore, Endpoints) {
    let (store, endpoints) = TraceStore::start().await.unwrap();
    let mut client = traces_at(&endpoints.grpc).await;
    let order = vec![
        span(1, 10, "CreateOrder").with("order.id", "o-1"),
        span(1, 11, "gathered").below(10).with("order.id", "o-1"),
        span(1, 12, "batch")
            .below(11)
            .with("batch.size", "2")
            .linked(2, 21),
        span(1, 13, "Reserve").below(12),
        span(2, 20, "CreateOrder").with("order.id", "o-2"),
        span(2, 21, "gathered")
            .below(20)
            .with("order.id", "o-2")
            .linked(1, 12),
        span(3, 30, "webhook").with("order.id", "o-2").linked(2, 20),
        span(4, 40, "nothing of theirs"),
    ];
    client.export(spans("order-service", order)).await.unwrap();
    let stock = vec![
        span(1, 14, "ReserveBatch").below(13).linked(5, 50),
        span(1, 15, "sql").below(14),
        span(5, 50, "far").linked(2, 20),
    ];
    client
        .export(spans("inventory-service", stock))
        .await
        .unwrap();
    (store, endpoints)
}

#[tokio::test]
async fn an_order_is_told_with_what_was_done_for_it_and_others_at_once() {
    let (_store, endpoints) = two_orders().await;
    let found = found(&endpoints, "/api/traces?order_id=o-2").await;
    assert_eq!(found.traces, [trace_id(2), trace_id(3)]);
    assert_eq!(found.orphans, 0);
    let told: Vec<(&str, bool)> = found
        .spans
        .iter()
        .map(|found| (found.span.name.as_str(), found.linked))
        .collect();
    // The batch with all below it; nothing else of the first order, and not
    // what the batch links to.
    assert_eq!(
        told,
        [
            ("batch", true),
            ("Reserve", true),
            ("ReserveBatch", true),
            ("sql", true),
            ("CreateOrder", false),
            ("gathered", false),
            ("webhook", false),
        ]
    );
    assert_eq!(found.spans[0].links_to_it, 1);
    assert_eq!(found.spans[0].span.service, "order-service");
    assert_eq!(found.spans[3].span.service, "inventory-service");
}

#[tokio::test]
async fn the_trace_of_the_batch_needs_no_links() {
    let (_store, endpoints) = two_orders().await;
    let of_order = found(&endpoints, "/api/traces?order_id=o-1").await;
    assert_eq!(of_order.traces, [trace_id(1)]);
    let linked = of_order.spans.iter().filter(|found| found.linked);
    let linked: Vec<&str> = linked.map(|found| found.span.name.as_str()).collect();
    assert_eq!(linked, ["far"], "and not the order that this links to");
    let path = format!("/api/traces?trace_id={}", trace_id(1));
    assert_eq!(found(&endpoints, &path).await, of_order);
}

#[tokio::test]
async fn links_in_a_ring_are_followed_once() {
    let (store, endpoints) = TraceStore::start().await.unwrap();
    let mut client = traces_at(&endpoints.grpc).await;
    let ring = (1..=3).map(|n| span(n, n, "ring").linked(n % 3 + 1, n % 3 + 1));
    client.export(spans("s", ring.collect())).await.unwrap();
    assert_eq!(store.of_trace(trace_id(1)).spans.len(), 2);
}

#[tokio::test]
async fn what_is_not_there_is_an_empty_answer() {
    let (_store, endpoints) = two_orders().await;
    let path = format!("/api/traces?trace_id={}", trace_id(99));
    for path in ["/api/traces?order_id=o-9", &path] {
        let found = found(&endpoints, path).await;
        assert!(found.traces.is_empty() && found.spans.is_empty(), "{path}");
    }
}

#[tokio::test]
async fn a_question_that_is_none_is_refused_with_what_was_expected() {
    let (_store, endpoints) = two_orders().await;
    for (query, expected) in [
        ("", "either order_id or trace_id"),
        ("?order_id=", "order_id is empty"),
        ("?trace_id=4bf9", "32 hex digits"),
        ("?order_id=a&trace_id=b", "either order_id or trace_id"),
        ("?limit=3", "\\\"limit\\\" is not known"),
    ] {
        let (code, text) = get(&endpoints, &format!("/api/traces{query}")).await;
        assert_eq!(code, 400, "{query}: {text}");
        assert!(text.contains(expected), "{query}: {text}");
    }
    assert_eq!(get(&endpoints, "/api/nothing").await.0, 404);
}

#[tokio::test]
async fn the_summary_counts_orphans_and_the_store_says_that_it_lives() {
    let (_store, endpoints) = two_orders().await;
    assert_eq!(get(&endpoints, "/healthz").await, (200, "ok\n".to_owned()));
    let mut client = traces_at(&endpoints.grpc).await;
    let orphan = vec![span(6, 60, "orphan").below(59)];
    client.export(spans("s", orphan)).await.unwrap();
    let (_, text) = get(&endpoints, "/api/summary").await;
    let summary: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(summary["spans"], 12);
    assert_eq!(summary["traces"], 6);
    assert_eq!(summary["orphans"], 1);
    assert_eq!(summary["lost"]["spans_evicted"], 0);
    let path = format!("/api/traces?trace_id={}", trace_id(6));
    let found = found(&endpoints, &path).await;
    assert_eq!(found.orphans, 1);
    assert_eq!(found.spans[0].span.parent_span_id, Some(span_id(59)));
}
