//! The way to a peer.

use std::time::Duration;

use listener::tls::Connector;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;

use crate::{
    InvalidToken, Token,
    channel::{Channel, Names, NoPlace, Place},
};

/// Why a peer cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{url} is not an address of a peer: {reason}")]
    Peer { url: String, reason: String },
    #[error("the token for {url}: {source}")]
    Token { url: String, source: InvalidToken },
}

/// Where a peer is.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeerSettings {
    /// For example `http://inventory-service:50053`; with `https://` the peer
    /// must prove by its certificate who it is, and the section `tls` is needed.
    /// Calls are balanced over all addresses that the host's name has, which is
    /// looked up every five seconds, and over several hosts with commas between:
    /// `http://10.0.0.1:50053,10.0.0.2:50053`.
    pub url: String,
    /// The name in the peer's certificate, when it is not the host of the URL.
    #[serde(default)]
    pub server_name: Option<String>,
    /// The token of this service for peers at `http://`; at `https://` its
    /// certificate says who it is, and no token is sent. Better `token_file`: a
    /// new token is taken over.
    #[schemars(with = "Option<String>", extend("writeOnly" = true, "x-reload" = true))]
    #[serde(default)]
    pub token: Option<SecretString>,
    /// How long one call may take.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
}

fn timeout_ms() -> u64 {
    2000
}

impl PeerSettings {
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            server_name: None,
            token: None,
            timeout_ms: timeout_ms(),
        }
    }

    /// Lets `token` be what these settings hold, now and after each change.
    ///
    /// # Errors
    /// `Token` for one that no header can carry.
    pub fn show(&self, token: &Token) -> Result<(), Error> {
        let shown = self
            .token
            .as_ref()
            .filter(|_| !self.url.starts_with("https:"));
        token.set(shown).map_err(|source| {
            let url = self.url.clone();
            Error::Token { url, source }
        })
    }

    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

/// A channel that connects when it is first used, and again when it must. `tls`
/// is for peers at `https://` and unused for others.
///
/// # Errors
/// `Peer` when the URL is none, or is `https://` and there is no `tls`.
pub fn connect(settings: &PeerSettings, tls: Option<&Connector>) -> Result<Channel, Error> {
    let name = settings.server_name.as_deref();
    let places = Place::all(&settings.url, name, tls);
    let places = places.map_err(|NoPlace(reason)| {
        let url = settings.url.clone();
        Error::Peer { url, reason }
    })?;
    Ok(Channel::to(places, Names::of_system()))
}
