//! What an operator sets beside the settings of every process.

use listener::tls::Files;
use redis_connection::Redis;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{app, provider};

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
    pub provider: provider::Settings,
    #[serde(default)]
    pub checks: app::Policy,
    #[serde(default)]
    pub metrics: gauges::Settings,
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
