//! What an operator sets beside the settings of every process.

use outbox::RedisSettings;
use serde::Deserialize;

use crate::{app, http, provider};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub server: rpc::ServerSettings,
    pub database: database::Settings,
    /// Where events are published.
    pub redis: RedisSettings,
    pub provider: provider::Settings,
    #[serde(default)]
    pub webhooks: http::Settings,
    #[serde(default)]
    pub checks: app::Policy,
}
