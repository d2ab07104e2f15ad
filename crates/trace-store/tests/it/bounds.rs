//! The memory has an end, whatever is sent.

use opentelemetry_proto::tonic::collector::{
    logs::v1::logs_service_client::LogsServiceClient,
    metrics::v1::metrics_service_client::MetricsServiceClient,
};
use trace_store::{Bounds, Endpoints, TraceStore};

use crate::sender::{With, counter, log, span, spans, trace_id, traces_at};

async fn store(bounds: Bounds) -> (TraceStore, Endpoints) {
    TraceStore::new(bounds).serve_here().await.unwrap()
}

#[tokio::test]
async fn the_oldest_trace_makes_room_and_goes_as_a_whole() {
    let (store, endpoints) = store(Bounds {
        spans_per_trace: 10,
        ..Bounds::of_spans(10)
    })
    .await;
    let mut client = traces_at(&endpoints.grpc).await;
    for trace in 1..=4 {
        let id = trace * 10;
        let three = vec![
            span(trace, id, "a").with("order.id", &format!("o-{trace}")),
            span(trace, id + 1, "b").below(id).linked(9, 90),
            span(trace, id + 2, "c").below(id),
        ];
        client.export(spans("order-service", three)).await.unwrap();
    }
    assert_eq!(store.trace(trace_id(1)), []);
    for trace in 2..=4 {
        assert_eq!(store.trace(trace_id(trace)).len(), 3, "trace {trace}");
    }
    assert_eq!(store.find("order.id", "o-1"), []);
    assert_eq!(store.find("order.id", "o-2"), [trace_id(2)]);
    assert_eq!(store.summary().lost.spans_evicted, 3);
    assert_eq!(store.summary().orphans, 0);
    // What the evicted one linked to is linked by the others only.
    let late = vec![span(9, 90, "batch")];
    client.export(spans("order-service", late)).await.unwrap();
    assert_eq!(store.of_trace(trace_id(9)).spans[0].links_to_it, 3);
}

#[tokio::test]
async fn a_trace_without_an_end_does_not_push_out_the_others() {
    let (store, endpoints) = store(Bounds::of_spans(100)).await;
    let mut client = traces_at(&endpoints.grpc).await;
    let other = vec![span(1, 1, "order")];
    client.export(spans("order-service", other)).await.unwrap();
    let endless = (0..1_000).map(|id| span(2, 1_000 + id, "tick")).collect();
    client.export(spans("worker", endless)).await.unwrap();
    assert_eq!(store.trace(trace_id(1)).len(), 1);
    assert_eq!(store.trace(trace_id(2)).len(), 10);
    assert_eq!(store.summary().lost.spans_beyond_trace, 990);
}

#[tokio::test]
async fn attributes_of_any_size_and_number_are_cut() {
    let (store, endpoints) = store(Bounds::default()).await;
    let mut client = traces_at(&endpoints.grpc).await;
    let long = "ä".repeat(1 << 20);
    let mut big = span(1, 1, &long).with("long", &long).with(&long, "key");
    for number in 0..5_000 {
        big = big.with(&format!("key.{number}"), "v").linked(2, 2);
    }
    client
        .export(spans("order-service", vec![big]))
        .await
        .unwrap();
    let kept = &store.trace(trace_id(1))[0];
    assert!(
        kept.name.len() <= 256 + '…'.len_utf8(),
        "{}",
        kept.name.len()
    );
    let value = kept.attribute("long").unwrap();
    assert!(value.len() <= 4_096 + '…'.len_utf8() && value.ends_with('…'));
    assert_eq!(kept.attributes.len(), 128);
    assert_eq!(kept.links.len(), 1_024);
    assert!(store.everything().len() < 200_000);
    assert!(store.summary().lost.parts_cut > 0);
}

#[tokio::test]
async fn bytes_are_bounded_also_when_the_number_of_spans_is_not_reached() {
    let (store, endpoints) = store(Bounds {
        bytes: 1 << 20,
        ..Bounds::default()
    })
    .await;
    let mut client = traces_at(&endpoints.grpc).await;
    let long = "x".repeat(4_000);
    for trace in 1..=100 {
        let ten = (0..10).map(|id| span(trace, trace * 100 + id, "big").with("text", &long));
        client.export(spans("s", ten.collect())).await.unwrap();
    }
    let text = store.everything().len();
    assert!(text < 5 << 18, "{text} bytes");
    assert!(text > 1 << 19, "{text} bytes");
    assert_eq!(store.trace(trace_id(100)).len(), 10, "the newest is there");
}

#[tokio::test]
async fn log_records_and_series_are_bounded() {
    let (store, endpoints) = store(Bounds {
        logs: 3,
        metric_series: 2,
        ..Bounds::default()
    })
    .await;
    let mut logs = LogsServiceClient::connect(endpoints.grpc.clone())
        .await
        .unwrap();
    for number in 0..5 {
        let body = format!("line {number}");
        logs.export(log("order-service", &body, 1)).await.unwrap();
    }
    let kept = store.logs();
    let bodies: Vec<&str> = kept.iter().map(|log| log.body.as_str()).collect();
    assert_eq!(bodies, ["line 2", "line 3", "line 4"]);
    let mut metrics = MetricsServiceClient::connect(endpoints.grpc).await.unwrap();
    for reason in ["a", "b", "c", "a"] {
        metrics.export(counter("m", reason, 1)).await.unwrap();
    }
    metrics.export(counter("another", "a", 1)).await.unwrap();
    assert_eq!(store.metrics()[0].series.len(), 2);
    assert_eq!(store.metrics().len(), 1);
    let lost = store.summary().lost;
    assert_eq!((lost.logs_evicted, lost.points_dropped), (2, 2));
}
