//! Calls to a peer.

use std::{error::Error as StdError, fmt::Display, time::Duration};

use http::{Uri, uri::Scheme};
use listener::tls::Connector;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use tonic::{
    Code, Request, Response, Status,
    metadata::MetadataMap,
    transport::{Channel, Endpoint},
};

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

/// Sends one call, with the current trace, the time it may take and its
/// idempotency key. A call that provably never reached a handler (connection
/// refused, stream refused, server going away) is sent once more; nothing else
/// is repeated here, that is for whoever holds the key.
///
/// # Errors
/// The peer's status; `DEADLINE_EXCEEDED` when the time is over, and then the
/// outcome is unknown.
pub async fn call<M, R, F, Fut>(
    message: M,
    key: Option<&str>,
    timeout: Duration,
    send: F,
) -> Result<R, Status>
where
    M: Clone,
    F: Fn(Request<M>) -> Fut,
    Fut: Future<Output = Result<Response<R>, Status>>,
{
    let request = request(message.clone(), key, timeout)?;
    let answer = match send(request).await {
        Err(status) if never_arrived(&status) => {
            tracing::debug!(error = %status, "sending a call again that never arrived");
            send(self::request(message, key, timeout)?).await
        }
        answer => answer,
    };
    answer.map(Response::into_inner).map_err(plain_deadline)
}

fn request<M>(message: M, key: Option<&str>, timeout: Duration) -> Result<Request<M>, Status> {
    let mut request = Request::new(message);
    request.set_timeout(timeout);
    if let Some(key) = key {
        let key = key
            .parse()
            .map_err(|_| Status::invalid_argument("the idempotency key is not ASCII"))?;
        request.metadata_mut().insert("idempotency-key", key);
    }
    let mut headers = std::mem::take(request.metadata_mut()).into_headers();
    telemetry::propagation::inject(&mut headers);
    *request.metadata_mut() = MetadataMap::from_headers(headers);
    Ok(request)
}

/// tonic tells an expired deadline as `CANCELLED`, by its own timer and by the
/// server's alike.
fn plain_deadline(status: Status) -> Status {
    if status.code() == Code::Cancelled && status.message().contains("Timeout expired") {
        return Status::deadline_exceeded("the call took longer than it may");
    }
    status
}

/// True when the error shows that no handler saw the request.
fn never_arrived(status: &Status) -> bool {
    let mut cause = status.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<hyper::Error>()
            && error.is_canceled()
        {
            return true;
        }
        if let Some(error) = error.downcast_ref::<h2::Error>()
            && (error.reason() == Some(h2::Reason::REFUSED_STREAM)
                || error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR))
        {
            return true;
        }
        if let Some(error) = error.downcast_ref::<std::io::Error>()
            && error.kind() == std::io::ErrorKind::ConnectionRefused
        {
            return true;
        }
        cause = error.source();
    }
    false
}
