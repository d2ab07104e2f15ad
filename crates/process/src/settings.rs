//! The settings that every process has, at the top level of its file.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use schemars::JsonSchema;
use serde::Deserialize;
use settings::SettingsError;

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Health, metrics, log level. Never published: it asks nobody who they are.
    #[serde(default = "private_listen")]
    pub private_listen: SocketAddr,
    #[serde(default)]
    pub deployment: Deployment,
    pub auth: auth::Settings,
    #[serde(default)]
    pub drain: Drain,
    #[serde(default)]
    pub reload: Reload,
    #[serde(default)]
    pub log: telemetry::LogSettings,
    #[serde(default)]
    pub telemetry: telemetry::TraceSettings,
}

fn private_listen() -> SocketAddr {
    (Ipv4Addr::UNSPECIFIED, 9090).into()
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Deployment {
    /// `local` allows what would be careless elsewhere.
    pub environment: String,
}

impl Default for Deployment {
    fn default() -> Self {
        let environment = "production".to_owned();
        Self { environment }
    }
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Drain {
    /// How long the API still accepts calls after the process said that it is
    /// not ready: until then balancers may send some.
    pub endpoint_removal_ms: u64,
    /// How long work in flight may take after that.
    pub deadline_ms: u64,
}

impl Default for Drain {
    fn default() -> Self {
        Self {
            endpoint_removal_ms: 0,
            deadline_ms: 10_000,
        }
    }
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Reload {
    /// How often the settings file and the secret files are read anew; 0:
    /// never.
    pub interval_ms: u64,
}

impl Default for Reload {
    fn default() -> Self {
        Self { interval_ms: 2_000 }
    }
}

impl Reload {
    pub(crate) fn interval(&self) -> Option<Duration> {
        (self.interval_ms > 0).then(|| Duration::from_millis(self.interval_ms))
    }
}

impl Drain {
    pub fn endpoint_removal(&self) -> Duration {
        Duration::from_millis(self.endpoint_removal_ms)
    }

    pub fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms)
    }
}

impl Settings {
    /// Rules between keys.
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        let environment = self.deployment.environment.as_str();
        self.auth.check(environment).map_err(|invalid| {
            let key = format!("auth.{}", invalid.key);
            SettingsError::invalid(&key, invalid.message)
        })
    }

    pub(crate) fn telemetry(&self) -> telemetry::Settings {
        telemetry::Settings {
            log: self.log.clone(),
            telemetry: self.telemetry.clone(),
        }
    }
}
