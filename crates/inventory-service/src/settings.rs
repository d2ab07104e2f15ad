//! What an operator can set, beside what all processes have in common.

use std::time::Duration;

use listener::tls::Files;
use redis_connection::Redis;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub server: edge::ServerSettings,
    pub http: edge::HttpSettings,
    #[serde(default)]
    pub connections: listener::Limits,
    #[serde(default)]
    pub tls: Option<listener::Tls>,
    #[schemars(extend("x-reload" = true))]
    #[serde(default)]
    pub limits: limits::Settings,
    pub database: database::Settings,
    pub redis: redis_connection::Settings,
    #[serde(default)]
    pub holds: Holds,
    #[serde(default)]
    pub watch: Watch,
    #[serde(default)]
    pub metrics: gauges::Settings,
}

/// Holds whose time is over are ended by a sweeper in every replica.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Holds {
    /// How often the sweeper looks.
    pub sweep_interval_ms: u64,
    /// Holds in one transaction of the sweeper.
    pub sweep_batch: u32,
}

impl Default for Holds {
    fn default() -> Self {
        Self {
            sweep_interval_ms: 1_000,
            sweep_batch: 200,
        }
    }
}

/// Streams of stock movements.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Watch {
    /// How soon movements of another replica are seen.
    pub poll_interval_ms: u64,
    /// How often a stream on which nothing happens says that it lives.
    pub heartbeat_interval_ms: u64,
    /// Streams of one replica; one more is refused.
    pub streams_max: u32,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            poll_interval_ms: 250,
            heartbeat_interval_ms: 5_000,
            streams_max: 1_024,
        }
    }
}

impl Holds {
    pub fn sweep_interval(&self) -> Duration {
        Duration::from_millis(self.sweep_interval_ms)
    }
}

impl Watch {
    pub fn poll_interval(&self) -> Duration {
        Duration::from_millis(self.poll_interval_ms)
    }

    pub fn heartbeat_interval(&self) -> Duration {
        Duration::from_millis(self.heartbeat_interval_ms)
    }
}

impl Settings {
    /// The sections of the edge.
    pub(crate) fn edge(
        &self,
        auth: &auth::Settings,
        redis: &Redis,
        tls: Option<&Files>,
    ) -> edge::Settings {
        edge::Settings {
            server: self.server.clone(),
            http: self.http.clone(),
            connections: self.connections.clone(),
            tls: tls.cloned(),
            limits: self.limits.clone(),
            auth: auth.clone(),
            redis: redis.clone(),
        }
    }
}
