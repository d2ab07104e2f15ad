//! The accept loop.

use std::{error::Error as StdError, io, net::SocketAddr, sync::Arc, time::Duration};

use futures::FutureExt;
use http::{Request, Response};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::{
    Body, Limits,
    connection::{Admitted, Shared},
    places::{Full, Places},
    seldom::Seldom,
    tls,
};

/// Out of file descriptors: trying again at once would only burn the CPU.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How many connections the kernel holds for tokio's listener until they are
/// accepted.
const BACKLOG: usize = 1024;

/// Why a listener cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    /// With this limit nothing would get through.
    #[error("connections.{key}: expected at least {least}, got {got}")]
    Limit {
        key: &'static str,
        least: u64,
        got: u64,
    },
}

/// A listener that holds its port and does not answer yet.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    limits: Limits,
    tls: Option<tls::Files>,
}

/// Takes the port. Without `tls` it will speak in the clear, with it nothing
/// but TLS.
///
/// # Errors
/// `Listen`, naming the address; `Limit`, naming the key.
pub async fn bind(
    address: SocketAddr,
    limits: &Limits,
    tls: Option<&tls::Files>,
) -> Result<Bound, Error> {
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(|source| Error::Listen { address, source })?;
    Bound::new(listener, limits, tls)
}

impl Bound {
    /// Of a port that is held already.
    ///
    /// # Errors
    /// `Limit`, naming the key; `Listen` for a socket that is none.
    pub fn new(
        listener: TcpListener,
        limits: &Limits,
        tls: Option<&tls::Files>,
    ) -> Result<Self, Error> {
        limits.check()?;
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let address = listener.local_addr().map_err(|source| Error::Listen {
            address: nowhere,
            source,
        })?;
        Ok(Self {
            listener,
            address,
            limits: limits.clone(),
            tls: tls.cloned(),
        })
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`; then takes no more connections, lets each
    /// finish the requests in flight, and cuts off what is open after `drain`.
    /// When the future is dropped all connections end at once.
    pub async fn serve<S, B>(self, service: S, shutdown: CancellationToken, drain: Duration)
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<Box<dyn StdError + Send + Sync>> + Send,
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let door = Door::new(&self.limits);
        let shared = Arc::new(Shared::new(&self.limits, self.tls));
        let mut connections = JoinSet::new();
        let converse = |admitted| {
            let (service, shutdown) = (service.clone(), shutdown.clone());
            shared.clone().converse(admitted, service, shutdown)
        };
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Some(ended) = connections.join_next() => mourn(ended),
                admitted = door.next(&self.listener) => {
                    connections.spawn(converse(admitted));
                }
            }
        }
        // As far as these clients know they are connected.
        for _ in 0..BACKLOG {
            let Some(admitted) = door.next(&self.listener).now_or_never() else {
                break;
            };
            connections.spawn(converse(admitted));
        }
        drop(self.listener);
        let ended = async {
            while let Some(ended) = connections.join_next().await {
                mourn(ended);
            }
        };
        if tokio::time::timeout(drain, ended).await.is_err() {
            tracing::warn!(
                connections = connections.len(),
                "connections were still open when the drain deadline came"
            );
        }
    }
}

/// Who is let in.
struct Door {
    places: Arc<Places>,
    refused: Seldom,
    broken: Seldom,
}

impl Door {
    fn new(limits: &Limits) -> Self {
        Self {
            places: Places::new(limits.max_connections, limits.max_connections_per_address),
            refused: Seldom::default(),
            broken: Seldom::default(),
        }
    }

    async fn next(&self, listener: &TcpListener) -> Admitted {
        loop {
            match listener.accept().await {
                Ok((stream, address)) => {
                    if let Some(admitted) = self.admit(stream, address) {
                        return admitted;
                    }
                }
                Err(error) => self.pause(&error).await,
            }
        }
    }

    fn admit(&self, stream: TcpStream, address: SocketAddr) -> Option<Admitted> {
        let full = match self.places.take(address.ip()) {
            Ok(place) => {
                return Some(Admitted {
                    stream,
                    address,
                    place,
                });
            }
            Err(full) => full,
        };
        if let Some(count) = self.refused.count() {
            let limit = match full {
                Full::Listener => "connections.max_connections",
                Full::Address => "connections.max_connections_per_address",
            };
            tracing::warn!(client.address = %address.ip(), limit, count, "connections were refused");
        }
        None
    }

    async fn pause(&self, error: &io::Error) {
        // The client's own fault, and gone with it.
        if error.kind() == io::ErrorKind::ConnectionAborted {
            return;
        }
        if let Some(count) = self.broken.count() {
            tracing::warn!(%error, count, "connections could not be accepted");
        }
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}

/// A panic ends its own connection only.
fn mourn(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection ended by a panic");
    }
}
