use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

/// How often this process reads what stands in the database, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Seconds between two looks at what waits: events that are not published,
    /// sagas that have not ended. 0: never.
    pub interval_s: u64,
    /// Seconds between two audits, which read whole tables to see whether an
    /// invariant is broken. 0: never.
    pub audit_interval_s: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            interval_s: 5,
            audit_interval_s: 60,
        }
    }
}

impl Settings {
    pub fn interval(&self) -> Duration {
        Duration::from_secs(self.interval_s)
    }

    pub fn audit_interval(&self) -> Duration {
        Duration::from_secs(self.audit_interval_s)
    }
}
