//! What a process would send.

use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest,
        metrics::v1::ExportMetricsServiceRequest,
        trace::v1::{ExportTraceServiceRequest, trace_service_client::TraceServiceClient},
    },
    common::v1::{AnyValue, KeyValue, any_value::Value},
    logs::v1::{LogRecord, ResourceLogs, ScopeLogs},
    metrics::v1::{
        AggregationTemporality, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
        metric::Data, number_data_point,
    },
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, span::Link},
};
use tonic::transport::Channel;
use trace_store::{SpanId, TraceId};

/// Ids that are easy to tell apart.
pub(crate) fn trace_id(number: u64) -> TraceId {
    format!("{number:032x}").parse().unwrap()
}

pub(crate) fn span_id(number: u64) -> SpanId {
    format!("{number:016x}").parse().unwrap()
}

fn bytes(id: impl ToString) -> Vec<u8> {
    hex::decode(id.to_string()).unwrap()
}

/// A span of one millisecond that begins at `id` milliseconds.
pub(crate) fn span(trace: u64, id: u64, name: &str) -> Span {
    Span {
        trace_id: bytes(trace_id(trace)),
        span_id: bytes(span_id(id)),
        name: name.to_owned(),
        start_time_unix_nano: id * 1_000_000,
        end_time_unix_nano: (id + 1) * 1_000_000,
        ..Span::default()
    }
}

pub(crate) trait With {
    fn below(self, parent: u64) -> Self;
    fn with(self, key: &str, value: &str) -> Self;
    fn linked(self, trace: u64, span: u64) -> Self;
}

impl With for Span {
    fn below(mut self, parent: u64) -> Self {
        self.parent_span_id = bytes(span_id(parent));
        self
    }

    fn with(mut self, key: &str, value: &str) -> Self {
        self.attributes.push(attribute(key, value));
        self
    }

    fn linked(mut self, trace: u64, span: u64) -> Self {
        self.links.push(Link {
            trace_id: bytes(trace_id(trace)),
            span_id: bytes(span_id(span)),
            ..Link::default()
        });
        self
    }
}

pub(crate) fn attribute(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(text(value)),
        ..KeyValue::default()
    }
}

fn text(text: &str) -> AnyValue {
    AnyValue {
        value: Some(Value::StringValue(text.to_owned())),
    }
}

fn resource(service: &str) -> Option<Resource> {
    Some(Resource {
        attributes: vec![attribute("service.name", service)],
        ..Resource::default()
    })
}

pub(crate) fn spans(service: &str, spans: Vec<Span>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: resource(service),
            scope_spans: vec![ScopeSpans {
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

pub(crate) fn log(service: &str, body: &str, trace: u64) -> ExportLogsServiceRequest {
    let record = LogRecord {
        body: Some(text(body)),
        trace_id: bytes(trace_id(trace)),
        severity_text: "INFO".to_owned(),
        ..LogRecord::default()
    };
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: resource(service),
            scope_logs: vec![ScopeLogs {
                log_records: vec![record],
                ..ScopeLogs::default()
            }],
            ..ResourceLogs::default()
        }],
    }
}

/// A counter that stands at `value` for the label `reason`.
pub(crate) fn counter(name: &str, reason: &str, value: i64) -> ExportMetricsServiceRequest {
    let point = NumberDataPoint {
        attributes: vec![attribute("reason", reason)],
        value: Some(number_data_point::Value::AsInt(value)),
        ..NumberDataPoint::default()
    };
    let metric = Metric {
        name: name.to_owned(),
        unit: "{order}".to_owned(),
        data: Some(Data::Sum(Sum {
            data_points: vec![point],
            aggregation_temporality: AggregationTemporality::Cumulative.into(),
            is_monotonic: true,
        })),
        ..Metric::default()
    };
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: resource("order-service"),
            scope_metrics: vec![ScopeMetrics {
                metrics: vec![metric],
                ..ScopeMetrics::default()
            }],
            ..ResourceMetrics::default()
        }],
    }
}

pub(crate) async fn traces_at(endpoint: &str) -> TraceServiceClient<Channel> {
    TraceServiceClient::connect(endpoint.to_owned())
        .await
        .unwrap()
}
