//! All three signals arrive, over both protocols.

use std::{io::Write, time::Duration};

use flate2::{Compression, write::GzEncoder};
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::logs_service_client::LogsServiceClient,
        metrics::v1::metrics_service_client::MetricsServiceClient,
        trace::v1::ExportTraceServiceResponse,
    },
    trace::v1::{Status, span::Event},
};
use prost::Message;
use tonic::codec::CompressionEncoding;
use trace_store::{Endpoints, Kind, MetricKind, StatusCode, TraceStore};

use crate::sender::{With, attribute, counter, log, span, span_id, spans, trace_id, traces_at};

pub(crate) async fn post(
    endpoints: &Endpoints,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> reqwest::Response {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.post(format!("{}{path}", endpoints.http)).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

pub(crate) const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_span_is_kept_with_all_that_it_tells() {
    let (store, endpoints) = TraceStore::start().await.unwrap();
    let mut sent = span(1, 2, "sql").below(1).linked(7, 8);
    sent = sent.with("db.system.name", "postgresql");
    sent.kind = 3;
    sent.trace_state = "vendor=1".to_owned();
    sent.status = Some(Status {
        code: 2,
        message: "23505".to_owned(),
    });
    sent.events.push(Event {
        name: "exception".to_owned(),
        time_unix_nano: 5,
        attributes: vec![attribute("exception.type", "panic")],
        ..Event::default()
    });
    let mut client = traces_at(&endpoints.grpc).await;
    client
        .export(spans("order-service", vec![sent]))
        .await
        .unwrap();
    let trace = store.trace(trace_id(1));
    let [kept] = trace.as_slice() else {
        panic!("{trace:?}");
    };
    assert_eq!((kept.name.as_str(), kept.kind), ("sql", Kind::Client));
    assert_eq!(kept.service, "order-service");
    assert_eq!(kept.parent_span_id, Some(span_id(1)));
    assert_eq!((kept.start, kept.end), (2_000_000, 3_000_000));
    assert_eq!(kept.attribute("db.system.name"), Some("postgresql"));
    assert_eq!(kept.status.code, StatusCode::Error);
    assert_eq!(kept.status.message, "23505");
    let link = &kept.links[0];
    assert_eq!((link.trace_id, link.span_id), (trace_id(7), span_id(8)));
    assert_eq!(kept.events[0].attributes["exception.type"], "panic");
    assert_eq!(kept.resource["service.name"], "order-service");
    assert_eq!(store.orphans().len(), 1, "its parent is not there");
    // Nothing that was sent escapes a search.
    for text in ["postgresql", "vendor=1", "23505", "panic"] {
        assert!(store.everything().contains(text), "{text}");
    }
}

#[tokio::test]
async fn what_is_sent_again_is_there_once() {
    let (store, endpoints) = TraceStore::start().await.unwrap();
    let mut client = traces_at(&endpoints.grpc).await;
    for _ in 0..2 {
        let again = vec![span(1, 1, "a").linked(1, 2), span(1, 2, "b").below(1)];
        client.export(spans("s", again)).await.unwrap();
    }
    assert_eq!(store.spans().len(), 2);
    let found = store.of_trace(trace_id(1));
    assert_eq!(found.spans[1].links_to_it, 1);
    assert!(store.summary().lost.is_none());
}

#[tokio::test]
async fn logs_and_metrics_arrive_over_grpc() {
    let (store, endpoints) = TraceStore::start().await.unwrap();
    let mut logs = LogsServiceClient::connect(endpoints.grpc.clone())
        .await
        .unwrap();
    logs.export(log("order-service", "placed", 3))
        .await
        .unwrap();
    let kept = &store.logs()[0];
    assert_eq!(
        (kept.body.as_str(), kept.severity.as_str()),
        ("placed", "INFO")
    );
    assert_eq!(kept.trace_id, Some(trace_id(3)));
    let mut metrics = MetricsServiceClient::connect(endpoints.grpc).await.unwrap();
    metrics
        .export(counter("orders.rejected", "OUT_OF_STOCK", 0))
        .await
        .unwrap();
    let all = store.metrics();
    assert_eq!(
        (all[0].name.as_str(), all[0].kind),
        ("orders.rejected", MetricKind::Counter)
    );
    assert_eq!(all[0].unit, "{order}");
    assert!(!all[0].moved(), "it stands at 0");
    metrics
        .export(counter("orders.rejected", "OUT_OF_STOCK", 4))
        .await
        .unwrap();
    metrics
        .export(counter("orders.rejected", "DECLINED", 2))
        .await
        .unwrap();
    let all = store.metrics();
    assert!(all[0].moved());
    assert!((all[0].total(&[("reason", "OUT_OF_STOCK")]) - 4.0).abs() < f64::EPSILON);
    assert!((all[0].total(&[]) - 6.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn all_signals_arrive_over_http_plain_and_packed() {
    let (store, endpoints) = TraceStore::start().await.unwrap();
    let plain = spans("a", vec![span(1, 1, "plain")]).encode_to_vec();
    let answer = post(&endpoints, "/v1/traces", &[PROTOBUF], plain).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/x-protobuf");
    let told = ExportTraceServiceResponse::decode(answer.bytes().await.unwrap()).unwrap();
    assert_eq!(told.partial_success, None);
    let packed = gzip(&spans("a", vec![span(1, 2, "packed")]).encode_to_vec());
    let headers = [PROTOBUF, ("content-encoding", "gzip")];
    assert_eq!(
        post(&endpoints, "/v1/traces", &headers, packed)
            .await
            .status(),
        200
    );
    let names: Vec<String> = store
        .trace(trace_id(1))
        .into_iter()
        .map(|s| s.name)
        .collect();
    assert_eq!(names, ["plain", "packed"]);
    let body = log("a", "hello", 1).encode_to_vec();
    assert_eq!(
        post(&endpoints, "/v1/logs", &[PROTOBUF], body)
            .await
            .status(),
        200
    );
    let body = counter("orders.created", "x", 1).encode_to_vec();
    assert_eq!(
        post(&endpoints, "/v1/metrics", &[PROTOBUF], body)
            .await
            .status(),
        200
    );
    assert_eq!((store.logs().len(), store.metrics().len()), (1, 1));
}

#[tokio::test]
async fn a_packed_export_arrives_over_grpc() {
    let (store, endpoints) = TraceStore::start().await.unwrap();
    let client = traces_at(&endpoints.grpc).await;
    let mut client = client.send_compressed(CompressionEncoding::Gzip);
    client
        .export(spans("a", vec![span(1, 1, "packed")]))
        .await
        .unwrap();
    assert_eq!(store.spans().len(), 1);
}

#[tokio::test]
async fn a_test_can_wait_for_what_is_on_its_way() {
    let (store, endpoints) = TraceStore::start().await.unwrap();
    let sender = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mut client = traces_at(&endpoints.grpc).await;
        client
            .export(spans("a", vec![span(1, 1, "late")]))
            .await
            .unwrap();
    });
    let arrived = store.wait_until(Duration::from_secs(10), |store| !store.spans().is_empty());
    assert!(arrived.await);
    sender.await.unwrap();
    let never = store.wait_until(Duration::from_millis(50), |store| store.spans().len() > 1);
    assert!(!never.await);
}
