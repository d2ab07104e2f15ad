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
    /// `http://host:4317` of an OTLP collector, for traces, metrics and logs.
    /// Absent: what `OTEL_EXPORTER_OTLP_ENDPOINT` says, else nothing is exported.
    pub otlp_endpoint: Option<String>,
    /// How to speak to it. Absent: what `OTEL_EXPORTER_OTLP_PROTOCOL` says, else
    /// `grpc`.
    pub otlp_protocol: Option<OtlpProtocol>,
    /// The share of traces that begin here and are kept; a caller's decision
    /// is followed. From 0 to 1; absent: what `OTEL_TRACES_SAMPLER` says, else all
    /// in the environments `local` and `test`, a tenth elsewhere.
    #[schemars(extend("x-reload" = true))]
    pub sample_ratio: Option<Ratio>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum OtlpProtocol {
    /// OTLP over gRPC, usually on port 4317.
    #[default]
    #[serde(rename = "grpc")]
    Grpc,
    /// OTLP over HTTP in binary form, usually on port 4318.
    #[serde(rename = "http/protobuf")]
    HttpProtobuf,
}

/// 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
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
