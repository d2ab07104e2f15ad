//! The source of trace ids, and the export to a collector where one is set.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{
        BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, TracerProviderBuilder,
    },
};

use crate::{Error, SampleHandle, Service, TraceSettings};

/// What a burst may queue before spans are dropped (the SDK logs how many).
const QUEUED_SPANS_MAX: usize = 8_192;
/// What a kill may lose.
const EXPORT_EVERY: Duration = Duration::from_secs(1);
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);

pub(crate) fn provider(
    settings: &TraceSettings,
    service: &Service<'_>,
    sampling: &SampleHandle,
) -> Result<SdkTracerProvider, Error> {
    let builder = SdkTracerProvider::builder()
        .with_resource(resource(service))
        .with_sampler(Sampler::ParentBased(Box::new(sampling.clone())));
    Ok(with_export(builder, settings)?.build())
}

fn with_export(
    builder: TracerProviderBuilder,
    settings: &TraceSettings,
) -> Result<TracerProviderBuilder, Error> {
    if settings.otlp_endpoint.is_none() && !endpoint_in_environment() {
        return Ok(builder);
    }
    let mut exporter = SpanExporter::builder()
        .with_tonic()
        .with_timeout(EXPORT_TIMEOUT);
    if let Some(endpoint) = &settings.otlp_endpoint {
        exporter = exporter.with_endpoint(endpoint);
    }
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUED_SPANS_MAX)
        .with_scheduled_delay(EXPORT_EVERY)
        .build();
    let processor = BatchSpanProcessor::builder(exporter.build()?)
        .with_batch_config(config)
        .build();
    Ok(builder.with_span_processor(processor))
}

/// The names that every OpenTelemetry SDK reads.
fn endpoint_in_environment() -> bool {
    [
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    ]
    .into_iter()
    .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// `OTEL_RESOURCE_ATTRIBUTES` adds what only the deployment knows (`k8s.*`).
pub(crate) fn resource(service: &Service<'_>) -> Resource {
    Resource::builder()
        .with_service_name(service.name)
        .with_attributes([
            KeyValue::new("service.version", service.version),
            KeyValue::new("service.instance.id", uuid::Uuid::now_v7().to_string()),
            KeyValue::new(
                "deployment.environment.name",
                service.environment.to_owned(),
            ),
        ])
        .build()
}
