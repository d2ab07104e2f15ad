//! Puts the parts together, once per process.

use std::io::IsTerminal;

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::{metrics::SdkMeterProvider, trace::SdkTracer};
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::{
    Registry, fmt::writer::BoxMakeWriter, layer::SubscriberExt, registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::{
    Error, Guard, LevelHandle, SampleHandle, Settings, TraceSettings,
    export::{self, Wishes},
    filter::Gate,
    guard::Parts,
    limits::Limits,
    log::{Bridge, LogLayer},
    metrics, panics, propagation, resource,
    sampling::Sampling,
    variables::Variables,
};

/// Who speaks: the same in every line and span.
#[derive(Debug, Clone, Copy)]
pub struct Service<'a> {
    pub name: &'static str,
    pub version: &'static str,
    /// `deployment.environment`: `local`, `test`, `production`, …
    pub environment: &'a str,
}

/// Installs logs (to stderr), traces, metrics and the panic hook for this
/// process. Call it inside the runtime, which the exporters need.
pub fn init(settings: &Settings, service: &Service<'_>) -> Result<Guard, Error> {
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let writer = BoxMakeWriter::new(std::io::stderr);
    let variables = Variables::of_process();
    let (subscriber, guard) = build_from(settings, service, writer, colours, &variables)?;
    subscriber.try_init()?;
    propagation::use_formats(propagation::Formats::read(&variables));
    guard.install_metrics();
    panics::record_them();
    variables.complain();
    Ok(guard)
}

/// For tests, which read what was logged: installs nothing.
#[doc(hidden)]
pub fn build(
    settings: &Settings,
    service: &Service<'_>,
    writer: BoxMakeWriter,
    colours: bool,
) -> Result<(impl Subscriber + Send + Sync + use<>, Guard), Error> {
    let variables = Variables::of_process();
    build_from(settings, service, writer, colours, &variables)
}

/// The same with the variables of another process.
#[doc(hidden)]
pub fn build_from(
    settings: &Settings,
    service: &Service<'_>,
    writer: BoxMakeWriter,
    colours: bool,
    variables: &Variables,
) -> Result<(impl Subscriber + Send + Sync + use<>, Guard), Error> {
    let sampling = Sampling::chosen(&settings.telemetry, service.environment, variables);
    let handle = sampling.handle();
    let level = LevelHandle::new(settings.log.level.clone());
    let parts = parts(&settings.telemetry, service, variables, sampling)?;
    let logs = parts.logs.as_ref();
    let bridge = logs.map(|provider| Bridge::new(provider, Limits::read(variables)));
    let tracer = parts.traces.tracer("cartwright");
    let subscriber = Registry::default()
        .with(Gate::new(level.clone(), variables))
        .with(spans(tracer))
        .with(LogLayer {
            format: settings.log.format,
            service: service.name,
            writer,
            colours,
            bridge,
        });
    Ok((subscriber, Guard::new(parts, level, handle)))
}

/// Spans say what was done to which order. Where in the code, on which thread and
/// how long of it on a CPU is a profiler's to say: it would be every second
/// attribute, and two readings of the clock whenever a span is entered.
fn spans<S>(tracer: SdkTracer) -> OpenTelemetryLayer<S, SdkTracer>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_opentelemetry::layer()
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_tracer(tracer)
}

/// All that exports, or nothing that does, if `OTEL_SDK_DISABLED` says so: then
/// spans have ids for the log, and that is all.
fn parts(
    settings: &TraceSettings,
    service: &Service<'_>,
    variables: &Variables,
    sampling: Sampling,
) -> Result<Parts, Error> {
    let is_disabled = variables.is_true("OTEL_SDK_DISABLED");
    let nothing = (TraceSettings::default(), Variables::of(&[]));
    let (settings, variables) = match is_disabled {
        true => (&nothing.0, &nothing.1),
        false => (settings, variables),
    };
    let wishes = Wishes {
        settings,
        variables,
        limits: Limits::read(variables),
        resource: resource::detect(service, variables),
    };
    let sampling = match is_disabled {
        true => Sampling::never(),
        false => sampling,
    };
    let (traces, spans_lost) = export::spans(&wishes, sampling)?;
    let (builder, metrics_lost) = export::with_push(&wishes, SdkMeterProvider::builder())?;
    let (meters, pull) = metrics::provider(builder, wishes.resource.clone());
    let (logs, records_lost) = export::logs(&wishes)?.unzip();
    let losses = [spans_lost, metrics_lost, records_lost];
    Ok(Parts {
        traces,
        meters,
        pull: (!is_disabled).then_some(pull),
        losses: losses.into_iter().flatten().collect(),
        logs,
    })
}

impl SampleHandle {
    /// The ratio that the settings ask for, else the variables, else the
    /// environment.
    pub fn follow(&self, settings: &TraceSettings, environment: &str) {
        let variables = Variables::of_process();
        let sampling = Sampling::chosen(settings, environment, &variables);
        self.set(sampling.handle().get());
    }
}
