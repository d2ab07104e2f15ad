//! Spans: where they come from, and how they leave.

use std::{sync::Arc, time::Duration};

use opentelemetry::Context;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{
        BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, ShouldSample, Span, SpanData,
        SpanExporter, SpanProcessor,
    },
};

use super::{Batching, Losses, Signal, Wishes, otlp};
use crate::{Error, limits::Length};

pub(crate) type Traces = (SdkTracerProvider, Option<Arc<Losses>>);

/// Without an exporter spans have ids all the same.
pub(crate) fn provider(
    wishes: &Wishes<'_>,
    sampler: impl ShouldSample + 'static,
) -> Result<Traces, Error> {
    let builder = SdkTracerProvider::builder()
        .with_resource(wishes.resource.clone())
        .with_span_limits(wishes.limits.span)
        .with_sampler(Box::new(sampler) as Box<dyn ShouldSample>);
    let batching = Batching::read(wishes.variables, "OTEL_BSP");
    let exporter = wishes
        .target(Signal::Traces)
        .map(|target| otlp::spans(&target));
    let exporter = exporter
        .map(|exporter| wishes.built(exporter))
        .transpose()?;
    let Some(inner) = exporter.flatten() else {
        return Ok((builder.build(), None));
    };
    let losses = Arc::new(Losses::new(Signal::Traces, batching.queued_max));
    let exporter = Exporter {
        inner,
        losses: losses.clone(),
    };
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(batching.queued_max)
        .with_max_export_batch_size(batching.batch_max)
        .with_scheduled_delay(batching.every)
        .build();
    let inner = BatchSpanProcessor::builder(exporter)
        .with_batch_config(config)
        .build();
    let processor = Processor {
        inner,
        losses: losses.clone(),
        values: wishes.limits.span_values,
    };
    let provider = builder.with_span_processor(processor).build();
    Ok((provider, Some(losses)))
}

/// In front of the queue.
#[derive(Debug)]
struct Processor {
    inner: BatchSpanProcessor,
    losses: Arc<Losses>,
    values: Length,
}

impl SpanProcessor for Processor {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.inner.on_start(span, context);
    }

    fn on_end(&self, mut span: SpanData) {
        if !span.span_context.is_sampled() || !self.losses.enter() {
            return;
        }
        self.values.cut_all(&mut span.attributes);
        for event in &mut span.events.events {
            self.values.cut_all(&mut event.attributes);
        }
        for link in &mut span.links.links {
            self.values.cut_all(&mut link.attributes);
        }
        self.inner.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

/// Behind the queue.
#[derive(Debug)]
struct Exporter {
    inner: opentelemetry_otlp::SpanExporter,
    losses: Arc<Losses>,
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        self.losses.leave(count);
        let result = self.inner.export(batch).await;
        self.losses.judge(count, result);
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
