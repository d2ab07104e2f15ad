//! The one filter in front of logs and traces, changeable while the process
//! runs.

use std::{fmt, str::FromStr, sync::Arc};

use arc_swap::ArcSwap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing::{Metadata, Subscriber, level_filters::LevelFilter, subscriber::Interest};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    layer::{Context, Filter},
};

use crate::variables::Variables;

/// Below the exporter of traces, or chatty below `info`: their spans would
/// export themselves for ever, their frames would fill the log.
const TRANSPORT: [&str; 14] = [
    "h2",
    "hyper",
    "hyper_util",
    "tonic",
    "tower",
    "reqwest",
    "rustls",
    "hyper_rustls",
    "rustls_platform_verifier",
    "opentelemetry",
    "opentelemetry-http",
    "opentelemetry_otlp",
    "opentelemetry_sdk",
    "opentelemetry-otlp",
];

/// Which events are logged: a level, or `info,order_service=debug,sqlx=warn`.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Level {
    text: String,
    targets: Targets,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a level (off, error, warn, info, debug, trace) or a list like `info,sqlx=warn`")]
pub struct InvalidLevel;

impl FromStr for Level {
    type Err = InvalidLevel;

    fn from_str(text: &str) -> Result<Self, InvalidLevel> {
        // A lone word that is no level would be read as the name of a target,
        // and an empty one as `error`.
        let words = text.split(',').map(str::trim);
        for word in words.filter(|word| !word.contains('=')) {
            if word.is_empty() || word.parse::<LevelFilter>().is_err() {
                return Err(InvalidLevel);
            }
        }
        let asked: Targets = text.parse().map_err(|_| InvalidLevel)?;
        let default = asked.default_level().unwrap_or(LevelFilter::OFF);
        let quiet = default.min(LevelFilter::INFO);
        let targets = Targets::new()
            .with_default(default)
            .with_targets(TRANSPORT.map(|target| (target, quiet)))
            .with_targets(asked.iter());
        let text = text.to_owned();
        Ok(Self { text, targets })
    }
}

impl TryFrom<String> for Level {
    type Error = InvalidLevel;

    fn try_from(text: String) -> Result<Self, InvalidLevel> {
        text.parse()
    }
}

impl From<Level> for String {
    fn from(level: Level) -> Self {
        level.text
    }
}

impl Default for Level {
    fn default() -> Self {
        Self {
            text: "info".to_owned(),
            targets: Targets::new().with_default(LevelFilter::INFO),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Level({})", self.text)
    }
}

/// Reads and changes the level of the running process.
#[derive(Clone, Debug)]
pub struct LevelHandle(Arc<ArcSwap<Level>>);

impl LevelHandle {
    pub(crate) fn new(level: Level) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(level)))
    }

    pub fn get(&self) -> String {
        self.0.load().to_string()
    }

    pub fn set(&self, level: Level) {
        self.0.store(Arc::new(level));
        // The most verbose level is cached by every call site and by `log`.
        tracing::callsite::rebuild_interest_cache();
        let max = tracing_log::AsLog::as_log(&LevelFilter::current());
        tracing_log::log::set_max_level(max);
    }
}

/// As a layer it is global: it stands before all others. It never answers
/// "always", so that a change needs no call site to be asked again.
pub(crate) struct Gate {
    handle: LevelHandle,
    /// Of what OpenTelemetry says of itself, if somebody wants it otherwise.
    sdk: Option<LevelFilter>,
}

impl Gate {
    pub(crate) fn new(handle: LevelHandle, variables: &Variables) -> Self {
        let known = ["off", "error", "warn", "info", "debug", "trace"];
        let known = known.map(|name| (name, name));
        let sdk = variables.one_of("OTEL_LOG_LEVEL", &known, "what log.level says");
        let sdk = sdk.and_then(|level| level.parse().ok());
        Self { handle, sdk }
    }

    fn lets_through(&self, metadata: &Metadata<'_>) -> bool {
        let (target, level) = (metadata.target(), metadata.level());
        if let Some(sdk) = self.sdk
            && target.starts_with("opentelemetry")
        {
            return !metadata.is_span() && *level <= sdk && !repeats_baggage(metadata);
        }
        let asked = || self.handle.0.load().targets.would_enable(target, level);
        if metadata.is_span() {
            !is_transport(target) && (*level <= LevelFilter::INFO || asked())
        } else {
            asked() && !repeats_baggage(metadata)
        }
    }
}

/// The propagator logs the whole header of a stranger when it cannot read it.
fn repeats_baggage(metadata: &Metadata<'_>) -> bool {
    metadata.name().starts_with("BaggagePropagator.Extract")
}

pub(crate) fn is_transport(target: &str) -> bool {
    let top = target.split("::").next().unwrap_or(target);
    TRANSPORT.contains(&top)
}

impl<S: Subscriber> Layer<S> for Gate {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.lets_through(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let targets = &self.handle.0.load().targets;
        let logged = Filter::<S>::max_level_hint(targets).unwrap_or(LevelFilter::TRACE);
        // Spans of level `info` are traced even where they are not logged.
        let sdk = self.sdk.unwrap_or(LevelFilter::OFF);
        Some(logged.max(LevelFilter::INFO).max(sdk))
    }
}
