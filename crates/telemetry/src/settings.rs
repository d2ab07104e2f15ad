//! What an operator may set.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Level;

/// The sections `log` and `telemetry`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub log: LogSettings,
    pub telemetry: TraceSettings,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// A level (off, error, warn, info, debug, trace), or a list like
    /// `info,order_service=debug`.
    #[schemars(extend("x-reload" = true))]
    pub level: Level,
    /// `json`: one object per line, for machines. `pretty`: short lines for
    /// people.
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object per line, for machines.
    #[default]
    Json,
    /// Short lines for people.
    Pretty,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TraceSettings {
    /// `http://host:4317` of an OTLP collector over gRPC. Absent: what
    /// `OTEL_EXPORTER_OTLP_ENDPOINT` says, else nothing is exported.
    pub otlp_endpoint: Option<String>,
    /// The share of traces that begin here and are kept; a caller's decision
    /// is followed. From 0 to 1; absent: all in the environments `local` and
    /// `test`, a tenth elsewhere.
    #[schemars(extend("x-reload" = true))]
    pub sample_ratio: Option<Ratio>,
}

/// 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "f64")]
pub struct Ratio(f64);

impl Ratio {
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Ratio {
    type Error = &'static str;

    fn try_from(ratio: f64) -> Result<Self, Self::Error> {
        if (0.0..=1.0).contains(&ratio) {
            Ok(Self(ratio))
        } else {
            Err("expected a number from 0 to 1")
        }
    }
}

impl TraceSettings {
    /// The ratio that holds in `environment`.
    pub fn ratio(&self, environment: &str) -> f64 {
        match self.sample_ratio {
            Some(ratio) => ratio.get(),
            None if matches!(environment, "local" | "test") => 1.0,
            None => 0.1,
        }
    }
}
