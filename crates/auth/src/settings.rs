//! Section `auth` of a process's settings.

use std::{path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::source::Source;

const LEEWAY_S_MAX: u64 = 30;
const REFRESH_S: std::ops::RangeInclusive<u64> = 10..=86_400;
const FETCH_TIMEOUT_MS: std::ops::RangeInclusive<u64> = 100..=30_000;

/// Who callers are. Has no default: that callers are not checked must be
/// written down.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `jwt`: callers bring a signed token. `none`: a caller is whoever it
    /// says it is; allowed where `deployment.environment` is `local`.
    pub mode: Mode,
    /// What tokens must have as `iss`, exactly. Needed for `jwt`.
    #[serde(default)]
    pub issuer: Option<String>,
    /// What tokens must have as `aud`, or among it.
    #[serde(default = "audience")]
    pub audience: String,
    /// Where the issuer's public keys (JWKS) are: `https://…`, `http://…` on
    /// the loopback, `file:///etc/cartwright/jwks.json`, or
    /// `file:.run/keys/jwks.json` below the working directory. Needed for
    /// `jwt`. A file is read anew within seconds of its change, also when a
    /// symbolic link is swapped.
    #[serde(default)]
    pub jwks_url: Option<String>,
    /// Certificates (PEM) to trust for `jwks_url` beside those of the system,
    /// such as a cluster's own.
    #[serde(default)]
    pub jwks_ca: Option<PathBuf>,
    /// How often the keys are fetched from a URL, 10 to 86400. A token with an
    /// unknown key makes them be fetched at once, but at most every 30 s.
    #[serde(default = "refresh_s")]
    pub refresh_s: u64,
    /// How long one fetch of the keys may take, 100 to 30000.
    #[serde(default = "fetch_timeout_ms")]
    pub fetch_timeout_ms: u64,
    /// By how much the clocks of issuer and service may differ, at most 30.
    #[serde(default = "leeway_s")]
    pub leeway_s: u64,
    /// Refuses tokens that are valid for longer than this from their issue
    /// (`iat`, or now where that is missing). Not checked by default.
    #[serde(default)]
    pub max_lifetime_s: Option<u64>,
}

/// How callers are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A caller is who it says it is.
    None,
    /// A caller is who its token says it is.
    Jwt,
}

/// A key of the section that breaks a rule between keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("key `auth.{key}`: {message}")]
pub struct Invalid {
    /// Without the section: `issuer`.
    pub key: &'static str,
    pub message: String,
}

impl Invalid {
    pub(crate) fn new(key: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { key, message }
    }
}

fn audience() -> String {
    "cartwright".to_owned()
}

fn refresh_s() -> u64 {
    300
}

fn fetch_timeout_ms() -> u64 {
    3000
}

fn leeway_s() -> u64 {
    5
}

impl Settings {
    /// Callers are believed.
    pub fn none() -> Self {
        Self {
            mode: Mode::None,
            issuer: None,
            audience: audience(),
            jwks_url: None,
            jwks_ca: None,
            refresh_s: refresh_s(),
            fetch_timeout_ms: fetch_timeout_ms(),
            leeway_s: leeway_s(),
            max_lifetime_s: None,
        }
    }

    /// Callers bring tokens of this issuer; everything else as by default.
    pub fn jwt(issuer: impl Into<String>, jwks_url: impl Into<String>) -> Self {
        Self {
            mode: Mode::Jwt,
            issuer: Some(issuer.into()),
            jwks_url: Some(jwks_url.into()),
            ..Self::none()
        }
    }

    /// The rules between keys, and with `deployment.environment`.
    ///
    /// # Errors
    /// The first key that breaks one.
    pub fn check(&self, environment: &str) -> Result<(), Invalid> {
        match self.mode {
            Mode::None if environment == "local" => Ok(()),
            Mode::None => Err(Invalid::new(
                "mode",
                format!(
                    "`none` lets every caller be anybody, so it needs \
                     deployment.environment `local`, and that is `{environment}`"
                ),
            )),
            Mode::Jwt => self.check_jwt(),
        }
    }

    fn check_jwt(&self) -> Result<(), Invalid> {
        self.issuer()?;
        if self.audience.trim().is_empty() {
            return Err(Invalid::new("audience", "must not be empty"));
        }
        Source::of(self)?;
        within("refresh_s", self.refresh_s, &REFRESH_S)?;
        within("fetch_timeout_ms", self.fetch_timeout_ms, &FETCH_TIMEOUT_MS)?;
        within("leeway_s", self.leeway_s, &(0..=LEEWAY_S_MAX))?;
        match self.max_lifetime_s {
            Some(0) => Err(Invalid::new("max_lifetime_s", "must be at least 1")),
            _ => Ok(()),
        }
    }

    pub(crate) fn issuer(&self) -> Result<&str, Invalid> {
        needed("issuer", self.issuer.as_deref())
    }

    pub(crate) fn jwks_url(&self) -> Result<&str, Invalid> {
        needed("jwks_url", self.jwks_url.as_deref())
    }

    pub(crate) fn refresh(&self) -> Duration {
        Duration::from_secs(self.refresh_s)
    }

    pub(crate) fn fetch_timeout(&self) -> Duration {
        Duration::from_millis(self.fetch_timeout_ms)
    }
}

fn needed<'a>(key: &'static str, value: Option<&'a str>) -> Result<&'a str, Invalid> {
    match value {
        Some(value) if !value.trim().is_empty() => Ok(value),
        _ => Err(Invalid::new(key, "must be set where auth.mode is `jwt`")),
    }
}

fn within(
    key: &'static str,
    value: u64,
    range: &std::ops::RangeInclusive<u64>,
) -> Result<(), Invalid> {
    if range.contains(&value) {
        return Ok(());
    }
    let (low, high) = (range.start(), range.end());
    let message = format!("must be from {low} to {high}, got {value}");
    Err(Invalid::new(key, message))
}
