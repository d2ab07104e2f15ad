//! Why telemetry could not start.

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the exporter of traces cannot be built")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    #[error("another subscriber is installed already")]
    Installed(#[from] tracing_subscriber::util::TryInitError),
}
