//! The two ports.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use listener::Limits;
use tokio_util::sync::CancellationToken;

use crate::{TraceStore, grpc, http, query};

/// What is being sent when it must stop.
const DRAIN: Duration = Duration::from_secs(1);

pub use listener::Error;

/// Ports that are held and not served yet.
#[derive(Debug)]
pub struct Bound {
    grpc: listener::Bound,
    http: listener::Bound,
}

/// Where to send and to ask, as URLs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// OTLP over gRPC.
    pub grpc: String,
    /// OTLP over HTTP, below `/v1`, and questions, below `/api`.
    pub http: String,
}

/// Takes the ports.
///
/// # Errors
/// Naming the address that cannot be had.
pub async fn bind(grpc: SocketAddr, http: SocketAddr) -> Result<Bound, Error> {
    // Senders keep their connections.
    let limits = Limits::default();
    Ok(Bound {
        grpc: listener::bind(grpc, &limits, None).await?,
        http: listener::bind(http, &limits, None).await?,
    })
}

impl Bound {
    pub fn endpoints(&self) -> Endpoints {
        Endpoints {
            grpc: format!("http://{}", self.grpc.local_addr()),
            http: format!("http://{}", self.http.local_addr()),
        }
    }

    /// Serves until `shutdown`.
    pub async fn serve(self, store: &TraceStore, shutdown: CancellationToken) {
        let over_grpc = grpc::routes(store).prepare().into_axum_router();
        let over_http = http::routes(store).merge(query::routes(store));
        tokio::join!(
            self.grpc.serve(over_grpc, shutdown.clone(), DRAIN),
            self.http.serve(over_http, shutdown, DRAIN),
        );
    }
}

impl TraceStore {
    /// A store that serves on free ports of the loopback until the runtime
    /// ends, for tests.
    ///
    /// # Errors
    /// When there is no port left.
    pub async fn start() -> Result<(Self, Endpoints), Error> {
        Self::default().serve_here().await
    }

    /// The same with what this store has.
    ///
    /// # Errors
    /// When there is no port left.
    pub async fn serve_here(self) -> Result<(Self, Endpoints), Error> {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let bound = bind(free, free).await?;
        let endpoints = bound.endpoints();
        let store = self.clone();
        tokio::spawn(async move { bound.serve(&store, CancellationToken::new()).await });
        Ok((self, endpoints))
    }
}
