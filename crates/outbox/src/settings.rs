use redis::IntoConnectionInfo;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de};

/// Where Redis is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisSettings {
    /// `redis://user:password@host:port/database`
    #[serde(deserialize_with = "redis_url")]
    pub url: SecretString,
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
