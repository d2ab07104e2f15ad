//! Settings of REST. Where to listen, TLS and CORS are of the edge.

use std::time::Duration;

use serde::Deserialize;

/// How requests and streams over HTTP are bounded.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Longest body of a request, in bytes.
    pub max_body_bytes: usize,
    /// Within this the body of a request must have arrived.
    pub body_timeout_ms: u64,
    /// An idle event stream gets a comment this often, so that nobody on the
    /// way takes it for dead.
    pub keepalive_interval_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_body_bytes: 4 * 1024 * 1024,
            body_timeout_ms: 10_000,
            keepalive_interval_ms: 15_000,
        }
    }
}

impl Settings {
    pub(crate) fn body_timeout(&self) -> Duration {
        Duration::from_millis(self.body_timeout_ms)
    }

    pub(crate) fn keepalive_interval(&self) -> Duration {
        Duration::from_millis(self.keepalive_interval_ms)
    }
}
