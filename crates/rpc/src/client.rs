//! The way to a peer.

use std::{fmt::Display, time::Duration};

use http::{Uri, uri::Scheme};
use listener::tls::Connector;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use tonic::transport::{Channel, Endpoint};

use crate::{InvalidToken, Token};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const HTTPS_PORT: u16 = 443;
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);

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
    let peer = |reason: &dyn Display| Error::Peer {
        url: settings.url.clone(),
        reason: reason.to_string(),
    };
    let url: Uri = settings.url.parse().map_err(|error| peer(&error))?;
    let Some(host) = url.host().filter(|host| !host.is_empty()) else {
        return Err(peer(&"expected http://HOST:PORT or https://HOST:PORT"));
    };
    match (url.scheme_str(), tls) {
        (Some("http"), _) => Ok(endpoint(url).connect_lazy()),
        (Some("https"), Some(tls)) => {
            let name = settings.server_name.as_deref().unwrap_or(host);
            let port = url.port_u16().unwrap_or(HTTPS_PORT);
            let connector = tls.to(host, port, name).map_err(|error| peer(&error))?;
            let plain = in_the_clear(&url).map_err(|error| peer(&error))?;
            let endpoint = endpoint(plain).origin(url);
            Ok(endpoint.connect_with_connector_lazy(connector))
        }
        (Some("https"), None) => Err(peer(&"expected the section `tls` for https://")),
        _ => Err(peer(&"expected http://HOST:PORT or https://HOST:PORT")),
    }
}

fn endpoint(url: Uri) -> Endpoint {
    Endpoint::from(url)
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .tcp_nodelay(true)
}

/// tonic refuses `https` when the TLS is not its own.
fn in_the_clear(url: &Uri) -> Result<Uri, http::uri::InvalidUriParts> {
    let mut parts = url.clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    Uri::from_parts(parts)
}
