//! Puts the layers together, once per process, and takes them down.

use std::{io::IsTerminal, time::Duration};

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::{metrics::SdkMeterProvider, trace::SdkTracerProvider};
use tracing::Subscriber;
use tracing_subscriber::{
    Registry, fmt::writer::BoxMakeWriter, layer::SubscriberExt, util::SubscriberInitExt,
};

use crate::{
    Error, LevelHandle, LogFormat, SampleHandle, Settings, filter::Gate, log::LogLayer, metrics,
    panics, traces,
};

const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// Who speaks: the same in every line and span.
#[derive(Debug, Clone, Copy)]
pub struct Service<'a> {
    pub name: &'static str,
    pub version: &'static str,
    /// `deployment.environment`: `local`, `test`, `production`, …
    pub environment: &'a str,
}

/// Keeps telemetry alive; give it back by [`Guard::flush`] at the end.
#[must_use = "dropped without `flush`, the last spans are lost"]
#[derive(Debug)]
pub struct Guard {
    provider: SdkTracerProvider,
    meters: SdkMeterProvider,
    pull: metrics::Pull,
    level: LevelHandle,
    sampling: SampleHandle,
}

/// Installs logs (to stderr), traces and the panic hook for this process. Call
/// it inside the runtime, which the exporter of traces needs.
pub fn init(settings: &Settings, service: &Service<'_>) -> Result<Guard, Error> {
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let writer = BoxMakeWriter::new(std::io::stderr);
    let (subscriber, guard) = build(settings, service, writer, colours)?;
    subscriber.try_init()?;
    guard.install_metrics();
    panics::log_them();
    Ok(guard)
}

/// For tests, which read what was logged: installs nothing.
#[doc(hidden)]
pub fn build(
    settings: &Settings,
    service: &Service<'_>,
    writer: BoxMakeWriter,
    colours: bool,
) -> Result<(impl Subscriber + Send + Sync + 'static, Guard), Error> {
    let sampling = SampleHandle::new(settings.telemetry.ratio(service.environment));
    let provider = traces::provider(&settings.telemetry, service, &sampling)?;
    let (meters, pull) = metrics::provider(SdkMeterProvider::builder(), traces::resource(service));
    let level = LevelHandle::new(settings.log.level.clone());
    let format: LogFormat = settings.log.format;
    let subscriber = Registry::default()
        .with(Gate(level.clone()))
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("cartwright")))
        .with(LogLayer::new(format, service.name, writer, colours));
    let guard = Guard {
        provider,
        meters,
        pull,
        level,
        sampling,
    };
    Ok((subscriber, guard))
}

impl Guard {
    /// Instruments of the whole process count here from now on.
    #[doc(hidden)]
    pub fn install_metrics(&self) {
        metrics::install_provider(&self.meters, self.pull.clone());
    }

    /// Reads and changes the level of the log while the process runs.
    pub fn level(&self) -> LevelHandle {
        self.level.clone()
    }

    /// Changes the share of traces that are kept while the process runs.
    pub fn sampling(&self) -> SampleHandle {
        self.sampling.clone()
    }

    /// Sends what is queued, for three seconds at most. Off the runtime's
    /// threads: there the exporter waits for itself, in vain.
    pub async fn flush(self) {
        let provider = self.provider;
        let shutdown =
            tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FLUSH_TIMEOUT));
        match tokio::time::timeout(FLUSH_TIMEOUT, shutdown).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::warn!(%error, "the last traces are lost"),
            Ok(Err(_)) | Err(_) => tracing::warn!("the last traces are lost: no answer in time"),
        }
    }
}
