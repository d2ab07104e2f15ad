//! The gRPC server of a service.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use secrecy::SecretString;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{
    service::Routes,
    transport::{Server, server::TcpIncoming},
};

use crate::{admission::Admission, edge::EdgeLayer};

const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_STREAMS_PER_CONNECTION: u32 = 1024;
const MAX_HEADER_BYTES: u32 = 16 * 1024;
const MAX_RESET_STREAMS: usize = 1024;

const HEALTH: &str = "grpc.health.v1.Health";

/// Settings of a gRPC server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Signs page tokens; equal on all replicas.
    pub page_token_secret: SecretString,
    /// Calls that run at the same time.
    #[serde(default = "max_concurrent_requests")]
    pub max_concurrent_requests: usize,
    /// Calls that wait for a place; one more is refused at once.
    #[serde(default = "max_waiting_requests")]
    pub max_waiting_requests: usize,
    /// For calls that bring no deadline.
    #[serde(default = "default_deadline_ms")]
    pub default_deadline_ms: u64,
    /// No call may wait longer than this, whatever it brings.
    #[serde(default = "max_deadline_ms")]
    pub max_deadline_ms: u64,
    /// Connections are closed gracefully at about this age, so that clients
    /// find new replicas.
    #[serde(default = "max_connection_age_s")]
    pub max_connection_age_s: u64,
}

fn max_concurrent_requests() -> usize {
    1024
}

fn max_waiting_requests() -> usize {
    2048
}

fn default_deadline_ms() -> u64 {
    10_000
}

fn max_deadline_ms() -> u64 {
    120_000
}

fn max_connection_age_s() -> u64 {
    1800
}

impl ServerSettings {
    /// The defaults, at an address.
    pub fn at(listen: SocketAddr, page_token_secret: SecretString) -> Self {
        Self {
            listen,
            page_token_secret,
            max_concurrent_requests: max_concurrent_requests(),
            max_waiting_requests: max_waiting_requests(),
            default_deadline_ms: default_deadline_ms(),
            max_deadline_ms: max_deadline_ms(),
            max_connection_age_s: max_connection_age_s(),
        }
    }
}

/// Why a server or a client could not be set up or ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen on {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("the descriptors of the API cannot be read: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    #[error("the gRPC server ended: {0}")]
    Serve(#[from] tonic::transport::Error),
    #[error("{url} is not an address of a peer: {reason}")]
    Peer { url: String, reason: String },
}

/// A server that holds its port and does not answer yet.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    settings: ServerSettings,
}

/// # Errors
/// `Listen`, naming the address, when the port is taken.
pub async fn bind(settings: &ServerSettings) -> Result<Bound, Error> {
    let listen = |source| Error::Listen {
        address: settings.listen,
        source,
    };
    let listener = TcpListener::bind(settings.listen).await.map_err(listen)?;
    Ok(Bound {
        address: listener.local_addr().map_err(listen)?,
        listener,
        settings: settings.clone(),
    })
}

impl Bound {
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves `routes` and reflection of `services` (their full names) until
    /// `shutdown`, then finishes what is in flight, at most for `drain`.
    ///
    /// # Errors
    /// `Serve` when the server fails; `Reflection` for broken descriptors.
    pub async fn serve(
        self,
        routes: Routes,
        services: &[&str],
        shutdown: CancellationToken,
        drain: Duration,
    ) -> Result<(), Error> {
        let reflection = || {
            let builder = tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(api::DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
            let all = [HEALTH].iter().chain(services);
            all.fold(builder, |builder, name| builder.with_service_name(*name))
        };
        // Most clients still ask in the alpha's name.
        let routes = routes
            .add_service(reflection().build_v1()?)
            .add_service(reflection().build_v1alpha()?);
        let incoming = TcpIncoming::from(self.listener).with_nodelay(Some(true));
        let server = builder(&self.settings)
            .layer(edge(&self.settings))
            .add_routes(routes)
            .serve_with_incoming_shutdown(incoming, shutdown.clone().cancelled_owned());
        let cap = async {
            shutdown.cancelled().await;
            tokio::time::sleep(drain).await;
        };
        // Dropping the server here drops connections, not work: mutating
        // handlers run on tasks of their own.
        tokio::select! {
            ended = server => Ok(ended?),
            () = cap => {
                tracing::warn!("connections were still open when the drain deadline came");
                Ok(())
            }
        }
    }
}

fn edge(settings: &ServerSettings) -> EdgeLayer {
    EdgeLayer {
        admission: Arc::new(Admission::new(
            settings.max_concurrent_requests,
            settings.max_waiting_requests,
        )),
        default_deadline: Duration::from_millis(settings.default_deadline_ms),
        max_deadline: Duration::from_millis(settings.max_deadline_ms),
    }
}

/// Every limit that hyper knows is set here: tonic leaves them all open.
/// `max_connection_age_grace` stays unset on purpose: with it tonic sends no
/// GOAWAY and kills handlers in flight.
fn builder(settings: &ServerSettings) -> Server {
    let jitter = rand::random_range(0.9..1.1);
    let age = Duration::from_secs(settings.max_connection_age_s).mul_f64(jitter);
    Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .max_concurrent_streams(MAX_STREAMS_PER_CONNECTION)
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .http2_max_local_error_reset_streams(Some(MAX_RESET_STREAMS))
        .http2_max_pending_accept_reset_streams(Some(MAX_RESET_STREAMS))
        .max_connection_age(age)
}
