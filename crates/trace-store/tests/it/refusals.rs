//! What is no good is refused with a reason, and costs nothing that is good.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use trace_store::{Endpoints, TraceStore, bind};

use crate::{
    otlp::{PROTOBUF, gzip, post},
    sender::{span, spans, trace_id, traces_at},
};

const MIB: usize = 1 << 20;

async fn refusal(endpoints: &Endpoints, headers: &[(&str, &str)], body: Vec<u8>) -> (u16, String) {
    let answer = post(endpoints, "/v1/traces", headers, body).await;
    let code = answer.status().as_u16();
    assert_eq!(answer.headers()["content-type"], "application/x-protobuf");
    let status = tonic_types::Status::decode(answer.bytes().await.unwrap()).unwrap();
    (code, status.message)
}

#[tokio::test]
async fn a_body_that_is_no_message_is_refused_and_nothing_is_lost() {
    let (store, endpoints) = TraceStore::start().await.unwrap();
    let good = spans("a", vec![span(1, 1, "before")]).encode_to_vec();
    let mut broken = spans("a", vec![span(1, 2, "half")]).encode_to_vec();
    broken.truncate(broken.len() - 3);
    post(&endpoints, "/v1/traces", &[PROTOBUF], good.clone()).await;
    let gzipped = [PROTOBUF, ("content-encoding", "gzip")];
    for (headers, body) in [
        (&[PROTOBUF][..], broken.clone()),
        (&[PROTOBUF][..], b"{\"resourceSpans\":[]}".to_vec()),
        (&gzipped[..], broken),
        (&gzipped[..], gzip(&good)[..20].to_vec()),
    ] {
        let (code, message) = refusal(&endpoints, headers, body).await;
        assert_eq!(code, 400, "{message}");
        assert!(message.starts_with("the body is no"), "{message}");
    }
    let after = spans("a", vec![span(1, 3, "after")]).encode_to_vec();
    assert_eq!(
        post(&endpoints, "/v1/traces", &[PROTOBUF], after)
            .await
            .status(),
        200
    );
    let names: Vec<String> = store
        .trace(trace_id(1))
        .into_iter()
        .map(|s| s.name)
        .collect();
    assert_eq!(names, ["before", "after"]);
}

#[tokio::test]
async fn other_types_and_encodings_are_named() {
    let (_store, endpoints) = TraceStore::start().await.unwrap();
    let json = [("content-type", "application/json; charset=utf-8")];
    let (code, message) = refusal(&endpoints, &json, b"{}".to_vec()).await;
    assert_eq!(code, 415);
    assert!(
        message.contains("\"application/json\", expected application/x-protobuf"),
        "{message}"
    );
    assert_eq!(refusal(&endpoints, &[], Vec::new()).await.0, 415);
    let zstd = [PROTOBUF, ("content-encoding", "zstd")];
    let (code, message) = refusal(&endpoints, &zstd, Vec::new()).await;
    assert_eq!(code, 415);
    assert!(message.contains("\"zstd\", expected gzip"), "{message}");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_also_when_it_is_packed_small() {
    let (store, endpoints) = TraceStore::start().await.unwrap();
    let large = vec![0; 16 * MIB + 1];
    let packed = gzip(&large);
    assert!(packed.len() < MIB, "{}", packed.len());
    let gzipped = [PROTOBUF, ("content-encoding", "gzip")];
    assert_eq!(refusal(&endpoints, &gzipped, packed).await.0, 413);
    assert_eq!(refusal(&endpoints, &[PROTOBUF], large).await.0, 413);
    let mut client = traces_at(&endpoints.grpc).await;
    let big = spans("a", vec![span(1, 1, &"x".repeat(16 * MIB))]);
    assert!(client.export(big).await.is_err());
    assert!(store.spans().is_empty());
}

#[tokio::test]
async fn a_span_without_ids_is_refused_alone() {
    let (store, endpoints) = TraceStore::start().await.unwrap();
    let (mut none, mut short) = (span(1, 1, "none"), span(1, 2, "short"));
    none.trace_id = vec![0; 16];
    short.span_id.pop();
    let all = spans("a", vec![none, span(1, 3, "good"), short]);
    let mut client = traces_at(&endpoints.grpc).await;
    let answer = client.export(all.clone()).await.unwrap().into_inner();
    let partial = answer.partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 2);
    assert!(partial.error_message.contains("trace_id"), "{partial:?}");
    let over_http = post(&endpoints, "/v1/traces", &[PROTOBUF], all.encode_to_vec()).await;
    let answer = ExportTraceServiceResponse::decode(over_http.bytes().await.unwrap()).unwrap();
    assert_eq!(answer.partial_success.unwrap().rejected_spans, 2);
    assert_eq!(store.spans().len(), 1);
    assert_eq!(store.summary().lost.spans_rejected, 4);
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let (_store, endpoints) = TraceStore::start().await.unwrap();
    let address = endpoints.grpc.trim_start_matches("http://");
    let error = bind(address.parse().unwrap(), "127.0.0.1:0".parse().unwrap()).await;
    let told = error.unwrap_err().to_string();
    assert!(told.contains(address), "{told}");
}
