//! Servers that count, and a way to them that can be cut.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::Request;
use listener::Limits;
use parking_lot::Mutex;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tower::ServiceExt;

const DRAIN: Duration = Duration::from_secs(10);

/// Answers health checks, after `delay_ms`.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) calls: Arc<AtomicUsize>,
    pub(super) delay_ms: Arc<AtomicU64>,
    pub(super) timeouts: Arc<Mutex<Vec<String>>>,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start() -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), &Limits::default()).await
    }

    pub(super) async fn at(address: SocketAddr, limits: &Limits) -> Self {
        let bound = listener::bind(address, limits, None).await.unwrap();
        let address = bound.local_addr();
        let (_, health) = tonic_health::server::health_reporter();
        let routes = Routes::new(health).prepare();
        let calls = Arc::new(AtomicUsize::new(0));
        let delay_ms = Arc::new(AtomicU64::new(0));
        let timeouts: Arc<Mutex<Vec<String>>> = Arc::default();
        let (count, delay, seen) = (calls.clone(), delay_ms.clone(), timeouts.clone());
        let service = tower::service_fn(move |request: Request<listener::Body>| {
            count.fetch_add(1, Ordering::Relaxed);
            if let Some(timeout) = request.headers().get("grpc-timeout") {
                seen.lock().push(timeout.to_str().unwrap().to_owned());
            }
            let (routes, delay) = (routes.clone(), delay.load(Ordering::Relaxed));
            async move {
                tokio::time::sleep(Duration::from_millis(delay)).await;
                routes.oneshot(request).await
            }
        });
        let stop = CancellationToken::new();
        let serving = tokio::spawn(bound.serve(service, stop.clone(), DRAIN));
        Self {
            address,
            calls,
            delay_ms,
            timeouts,
            stop,
            serving,
        }
    }

    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    pub(super) fn delay(&self, delay: Duration) {
        let delay = u64::try_from(delay.as_millis()).unwrap();
        self.delay_ms.store(delay, Ordering::Relaxed);
    }

    /// As a process does when it is told to: GOAWAY, and what runs is finished.
    pub(super) async fn drain(self) -> SocketAddr {
        self.stop.cancel();
        self.serving.await.unwrap();
        self.address
    }

    /// As `kill -9` does.
    pub(super) async fn kill(self) -> SocketAddr {
        self.serving.abort();
        let _ = self.serving.await;
        self.address
    }
}

/// A port that nobody listens on.
pub(super) async fn dead() -> SocketAddr {
    let any = TcpListener::bind("127.0.0.1:0").await.unwrap();
    any.local_addr().unwrap()
}

/// Passes everything on, until it is frozen: connections stay, and nothing
/// comes through, as with a process that is stopped.
pub(super) struct Way {
    pub(super) address: SocketAddr,
    pub(super) frozen: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Way {
    pub(super) async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let frozen = watch::Sender::new(false);
        let gate = frozen.clone();
        let accepting = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let gate = gate.clone();
                tokio::spawn(async move {
                    let Ok(server) = TcpStream::connect(target).await else {
                        return;
                    };
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    tokio::join!(
                        pass(from_client, to_server, gate.subscribe()),
                        pass(from_server, to_client, gate.subscribe()),
                    );
                });
            }
        });
        Self {
            address,
            frozen,
            accepting,
        }
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pass(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut frozen: watch::Receiver<bool>,
) {
    let mut bytes = [0; 4096];
    loop {
        let Ok(read @ 1..) = from.read(&mut bytes).await else {
            return;
        };
        if frozen.wait_for(|is_frozen| !is_frozen).await.is_err()
            || to.write_all(&bytes[..read]).await.is_err()
        {
            return;
        }
    }
}

/// Speaks HTTP/2, and refuses every stream.
pub(super) async fn refusing() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(stream).await.unwrap();
                while let Some(Ok((_, mut respond))) = connection.accept().await {
                    respond.send_reset(h2::Reason::REFUSED_STREAM);
                }
            });
        }
    });
    address
}
