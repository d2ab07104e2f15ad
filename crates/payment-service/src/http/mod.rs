//! What comes in over HTTP: the provider's webhooks.

mod serve;
mod signature;
mod webhooks;

pub use serve::serve;
pub use signature::{SignatureError, sign, verify};
pub use webhooks::router;

use std::net::{Ipv4Addr, SocketAddr};

use serde::Deserialize;

/// The listener for webhooks.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub listen: SocketAddr,
    pub connections_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 8081).into(),
            connections_max: 1024,
        }
    }
}
