//! The payment provider: a typed client of those calls of Stripe's API that
//! are needed. What a failed call means for a payment is decided here, once:
//! see [`ProviderError`].

mod error;
mod stripe;
mod watch;
#[doc(hidden)]
pub mod wire;

pub use error::ProviderError;
#[doc(hidden)]
pub use stripe::refused;
pub use stripe::{Listed, Stripe};
pub use wire::{Event, EventObject, Found, Refund as RefundFound};

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `https://api.stripe.com`, or a simulator.
    #[serde(default = "base_url")]
    pub base_url: String,
    /// The key of our account there.
    #[schemars(with = "String")]
    pub api_key: SecretString,
    /// Signs webhooks; during a rotation the new and the old one, parted by a
    /// comma in the environment.
    #[schemars(with = "Vec<String>")]
    pub webhook_secrets: Vec<SecretString>,
    /// How long one call may take.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
    /// Calls at the same time; more of them wait.
    #[serde(default = "concurrency_max")]
    pub concurrency_max: usize,
}

fn base_url() -> String {
    "http://127.0.0.1:8090".to_owned()
}

fn timeout_ms() -> u64 {
    8_000
}

fn concurrency_max() -> usize {
    128
}
