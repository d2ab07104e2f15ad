//! To a collector, by OTLP: over gRPC or HTTP, in batches, never in the way of a
//! request.
//!
//! What waits is bounded, and what does not fit is dropped at once and counted.
//! The threads that send are marked by the SDK, so that what they do is neither
//! traced nor sent itself.

mod client;
mod logs;
mod losses;
mod metrics;
mod otlp;
mod spans;
mod target;
mod tls;

pub(crate) use logs::provider as logs;
pub(crate) use losses::Losses;
pub(crate) use metrics::with_push;
pub(crate) use spans::provider as spans;

use std::time::Duration;

use crate::{TraceSettings, limits::Limits, variables::Variables};

/// How often what waits is sent: it is what a kill may lose.
const EXPORT_EVERY: Duration = Duration::from_secs(1);
/// What a burst may queue before it is dropped.
const QUEUED_MAX: usize = 8_192;
const BATCH_MAX: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Traces,
    Metrics,
    Logs,
}

impl Signal {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        }
    }

    fn upper(self) -> &'static str {
        match self {
            Self::Traces => "TRACES",
            Self::Metrics => "METRICS",
            Self::Logs => "LOGS",
        }
    }
}

/// What an operator has said about export.
pub(crate) struct Wishes<'a> {
    pub(crate) settings: &'a TraceSettings,
    pub(crate) variables: &'a Variables,
    pub(crate) limits: Limits,
    pub(crate) resource: opentelemetry_sdk::Resource,
}

/// The four variables of a batch processor.
struct Batching {
    every: Duration,
    queued_max: usize,
    batch_max: usize,
}

impl Batching {
    /// `prefix` is `OTEL_BSP` or `OTEL_BLRP`.
    fn read(variables: &Variables, prefix: &str) -> Self {
        let name = |rest| format!("{prefix}_{rest}");
        let queued_max = variables.count(&name("MAX_QUEUE_SIZE"), QUEUED_MAX);
        let batch_name = name("MAX_EXPORT_BATCH_SIZE");
        let mut batch_max = variables.count(&batch_name, BATCH_MAX.min(queued_max));
        if batch_max > queued_max {
            variables.refuse(&batch_name, &batch_max.to_string(), queued_max);
            batch_max = queued_max;
        }
        Self {
            every: variables.millis(&name("SCHEDULE_DELAY"), EXPORT_EVERY),
            queued_max,
            batch_max,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batching_is_as_the_variables_say() {
        let variables = Variables::of(&[
            ("OTEL_BSP_SCHEDULE_DELAY", "250"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1000"),
        ]);
        let batching = Batching::read(&variables, "OTEL_BSP");
        assert_eq!(batching.every, Duration::from_millis(250));
        assert_eq!((batching.queued_max, batching.batch_max), (100, 100));
        let wrong = variables.wrong();
        assert_eq!(wrong.len(), 1);
        assert_eq!(wrong[0].variable, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE");
        assert_eq!(wrong[0].instead, "100");
        let batching = Batching::read(&variables, "OTEL_BLRP");
        assert_eq!(batching.queued_max, QUEUED_MAX);
    }
}
