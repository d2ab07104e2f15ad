//! The section `redis`.

use redis::{Client, IntoConnectionInfo, RedisResult, TlsCertificates};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de};

/// Where Redis is. What is set here may change while the process runs: the
/// next connection is opened by it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `redis://user:password@host:port/database`, or `rediss://` for TLS.
    #[schemars(with = "String", extend("writeOnly" = true, "x-reload" = true))]
    #[serde(deserialize_with = "redis_url")]
    pub url: SecretString,
    /// Takes the place of the password in the URL, so that the URL need not be
    /// a secret.
    #[schemars(with = "Option<String>", extend("x-reload" = true))]
    #[serde(default)]
    pub password: Option<SecretString>,
    /// The authorities, in PEM, that the server's certificate must come from;
    /// `ca_file` reads them from a file. Those of the system when absent.
    #[schemars(extend("x-reload" = true))]
    #[serde(default)]
    pub ca: Option<String>,
}

fn redis_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    let url = SecretString::deserialize(deserializer)?;
    // The parser's own words may hold the password.
    match url.expose_secret().into_connection_info() {
        Ok(_) => Ok(url),
        Err(_) => Err(de::Error::custom(
            "expected a URL such as redis://user:password@host:6379/0",
        )),
    }
}

impl Settings {
    pub fn new(url: impl Into<SecretString>) -> Self {
        Self {
            url: url.into(),
            password: None,
            ca: None,
        }
    }

    /// A client for these settings as they are now; it does not follow changes.
    pub fn client(&self) -> RedisResult<Client> {
        let mut info = self.url.expose_secret().into_connection_info()?;
        if let Some(password) = &self.password {
            let settings = info.redis_settings().clone();
            info = info.set_redis_settings(settings.set_password(password.expose_secret()));
        }
        match &self.ca {
            None => Client::open(info),
            Some(ca) => Client::build_with_tls(
                info,
                TlsCertificates {
                    client_tls: None,
                    root_cert: Some(ca.as_bytes().to_vec()),
                },
            ),
        }
    }

    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        let password = |of: &Self| of.password.as_ref().map(|p| p.expose_secret().to_owned());
        self.url.expose_secret() == other.url.expose_secret()
            && password(self) == password(other)
            && self.ca == other.ca
    }
}
