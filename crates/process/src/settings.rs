//! The settings that every process has, at the top level of its file.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use serde::Deserialize;
use settings::SettingsError;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Health and log level. Never published: it asks nobody who they are.
    #[serde(default = "private_listen")]
    pub private_listen: SocketAddr,
    #[serde(default)]
    pub deployment: Deployment,
    pub auth: Auth,
    #[serde(default)]
    pub drain: Drain,
    #[serde(default)]
    pub log: telemetry::LogSettings,
    #[serde(default)]
    pub telemetry: telemetry::TraceSettings,
}

fn private_listen() -> SocketAddr {
    (Ipv4Addr::UNSPECIFIED, 9090).into()
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Deployment {
    /// `local` and `test` allow what would be careless elsewhere.
    pub environment: String,
}

impl Default for Deployment {
    fn default() -> Self {
        let environment = "production".to_owned();
        Self { environment }
    }
}

/// Has no default: that callers are not checked must be written down.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    pub mode: AuthMode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// A caller is who it says it is.
    None,
}

#[derive(Debug, Clone, Deserialize)]
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
        match self.auth.mode {
            AuthMode::None if matches!(environment, "local" | "test") => Ok(()),
            AuthMode::None => Err(SettingsError::invalid(
                "auth.mode",
                format!(
                    "`none` lets every caller be anybody, so it needs \
                     deployment.environment `local` or `test`, and that is `{environment}`"
                ),
            )),
        }
    }

    pub(crate) fn telemetry(&self) -> telemetry::Settings {
        telemetry::Settings {
            log: self.log.clone(),
            telemetry: self.telemetry.clone(),
        }
    }
}
