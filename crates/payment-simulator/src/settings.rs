//! The settings of the simulator. Each has a default that fits a laptop.

use std::net::SocketAddr;
use std::path::PathBuf;

use reqwest::Url;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de};

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub api: ApiSettings,
    pub books: BooksSettings,
    pub webhooks: WebhookSettings,
    pub refunds: RefundSettings,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ApiSettings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The one key that is accepted.
    #[schemars(with = "String")]
    pub api_key: SecretString,
    /// Where a browser finds this simulator; goes into `next_action`. The
    /// address that is listened on when absent.
    pub public_url: Option<String>,
    /// How long a connection is held whose answer never comes.
    pub hold_ms_max: u64,
    /// One more is closed at once.
    pub connections_max: usize,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BooksSettings {
    /// Holds `books.jsonl`; made when it is not there.
    pub directory: PathBuf,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookSettings {
    /// No webhooks without it.
    #[schemars(with = "Option<String>")]
    #[serde(deserialize_with = "receiver")]
    pub url: Option<Url>,
    /// Signs webhooks.
    #[schemars(with = "String")]
    pub secret: SecretString,
    /// Events that are posted at once.
    pub concurrency: usize,
    /// How long one delivery may take.
    pub timeout_ms: u64,
    /// The first pause before a delivery is tried again; it doubles.
    pub retry_ms_min: u64,
    /// The longest pause between two tries.
    pub retry_ms_max: u64,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RefundSettings {
    /// After this a pending refund settles.
    pub settle_ms: u64,
}

impl Default for ApiSettings {
    fn default() -> ApiSettings {
        ApiSettings {
            listen: SocketAddr::from(([127, 0, 0, 1], 8090)),
            api_key: "sk_test_cartwright".into(),
            public_url: None,
            hold_ms_max: 60_000,
            connections_max: 4096,
        }
    }
}

impl Default for BooksSettings {
    fn default() -> BooksSettings {
        BooksSettings {
            directory: PathBuf::from(".run/payment-simulator"),
        }
    }
}

impl Default for WebhookSettings {
    fn default() -> WebhookSettings {
        WebhookSettings {
            url: None,
            secret: "whsec_cartwright".into(),
            concurrency: 32,
            timeout_ms: 10_000,
            retry_ms_min: 100,
            retry_ms_max: 10_000,
        }
    }
}

impl Default for RefundSettings {
    fn default() -> RefundSettings {
        RefundSettings { settle_ms: 1000 }
    }
}

/// Empty means none.
fn receiver<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse::<Url>() {
        Ok(url) if ["http", "https"].contains(&url.scheme()) => Ok(Some(url)),
        _ => Err(de::Error::custom(
            "expected a URL that begins with http:// or https://",
        )),
    }
}
