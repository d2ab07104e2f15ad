//! Records of the log, beside the lines on stderr.

use std::{sync::Arc, time::Duration};

use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    logs::{
        BatchConfigBuilder, BatchLogProcessor, LogBatch, LogExporter, LogProcessor, SdkLogRecord,
        SdkLoggerProvider,
    },
};

use super::{Batching, Losses, Signal, Wishes, otlp};
use crate::Error;

pub(crate) type Logs = (SdkLoggerProvider, Arc<Losses>);

/// `None`: the lines are all there is.
pub(crate) fn provider(wishes: &Wishes<'_>) -> Result<Option<Logs>, Error> {
    let batching = Batching::read(wishes.variables, "OTEL_BLRP");
    let exporter = wishes
        .target(Signal::Logs)
        .map(|target| otlp::logs(&target));
    let exporter = exporter
        .map(|exporter| wishes.built(exporter))
        .transpose()?;
    let Some(inner) = exporter.flatten() else {
        return Ok(None);
    };
    let losses = Arc::new(Losses::new(Signal::Logs, batching.queued_max));
    let exporter = Exporter {
        inner,
        losses: losses.clone(),
    };
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(batching.queued_max)
        .with_max_export_batch_size(batching.batch_max)
        .with_scheduled_delay(batching.every)
        .build();
    let inner = BatchLogProcessor::builder(exporter)
        .with_batch_config(config)
        .build();
    let processor = Processor {
        inner,
        losses: losses.clone(),
    };
    let provider = SdkLoggerProvider::builder()
        .with_resource(wishes.resource.clone())
        .with_log_processor(processor)
        .build();
    Ok(Some((provider, losses)))
}

/// In front of the queue.
#[derive(Debug)]
struct Processor {
    inner: BatchLogProcessor,
    losses: Arc<Losses>,
}

impl LogProcessor for Processor {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        if self.losses.enter() {
            self.inner.emit(record, scope);
        }
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
    inner: opentelemetry_otlp::LogExporter,
    losses: Arc<Losses>,
}

impl LogExporter for Exporter {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let count = batch.iter().count();
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
