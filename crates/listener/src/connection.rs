//! One connection, from the handshake to its end.

use std::{
    error::Error as StdError,
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use http::{Request, Response};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::{
    Body, Limits, Peer,
    activity::{Activity, Overdue},
    limits::Times,
    places::Place,
    seldom::Seldom,
    service::Conversation,
    tls::{self, names},
    watched::Watched,
};

/// Finds out that a client vanished without a word.
const PING_INTERVAL: Duration = Duration::from_secs(10);
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// Streams that a client opens and resets at once. Past this the connection
/// ends: nobody but an attacker gets there.
const RESET_STREAMS_MAX: usize = 1024;

/// What all connections of a listener share.
pub(crate) struct Shared {
    http: auto::Builder<TokioExecutor>,
    times: Times,
    tls: Option<tls::Files>,
    failed_handshakes: Seldom,
}

/// A connection that was let in.
pub(crate) struct Admitted {
    pub(crate) stream: TcpStream,
    pub(crate) address: SocketAddr,
    pub(crate) place: Place,
}

impl Shared {
    pub(crate) fn new(limits: &Limits, tls: Option<tls::Files>) -> Self {
        let times = limits.times();
        Self {
            http: http(limits, times),
            times,
            tls,
            failed_handshakes: Seldom::default(),
        }
    }

    /// Until the client goes, has no time left, or `shutdown` lets it end.
    pub(crate) async fn converse<S, B>(
        self: Arc<Self>,
        admitted: Admitted,
        service: S,
        shutdown: CancellationToken,
    ) where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<Box<dyn StdError + Send + Sync>> + Send,
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let Admitted {
            stream,
            address,
            place: _place,
        } = admitted;
        // Only costs time when it fails.
        let _ = stream.set_nodelay(true);
        let Some(files) = &self.tls else {
            let peer = Peer::anonymous(address);
            return self.speak(stream, peer, service, shutdown).await;
        };
        let handshake = files.acceptor().accept(stream);
        let handshake = tokio::time::timeout(self.times.handshake, handshake);
        let handshake = tokio::select! {
            () = shutdown.cancelled() => return,
            handshake = handshake => handshake,
        };
        match handshake {
            Ok(Ok(stream)) => {
                let names = names::of(stream.get_ref().1.peer_certificates());
                let peer = Peer { address, names };
                self.speak(stream, peer, service, shutdown).await;
            }
            Ok(Err(error)) => self.handshake_failed(address, &error),
            Err(elapsed) => self.handshake_failed(address, &elapsed),
        }
    }

    async fn speak<T, S, B>(&self, stream: T, peer: Peer, service: S, shutdown: CancellationToken)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<Box<dyn StdError + Send + Sync>> + Send,
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let activity = Arc::new(Activity::new());
        let stream = Watched::new(stream, activity.clone());
        let conversation = Conversation {
            service,
            peer,
            activity: activity.clone(),
            stall: self.times.stall,
        };
        let connection = self
            .http
            .serve_connection(TokioIo::new(stream), conversation);
        let mut connection = pin!(connection);
        let mut told_to_end = pin!(self.told_to_end(shutdown));
        loop {
            let limit = activity.due(&self.times);
            let look = limit.map_or_else(|| Instant::now() + self.times.shortest(), |(by, _)| by);
            let end = tokio::select! {
                ended = connection.as_mut() => return self.ended(ended),
                () = &mut told_to_end, if activity.is_open() => activity.last_call(),
                () = tokio::time::sleep_until(look.into()) => match overdue(&activity, &self.times) {
                    None => false,
                    Some(Overdue::Request) => true,
                    Some(what) => {
                        tracing::debug!(overdue = ?what, "a connection was cut off");
                        return;
                    }
                }
            };
            if end {
                connection.as_mut().graceful_shutdown();
                activity.ends();
            }
        }
    }

    /// By the process, or by its own age.
    async fn told_to_end(&self, shutdown: CancellationToken) {
        let age = self.times.age.mul_f64(rand::random_range(0.9..1.1));
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(age) => {}
        }
    }

    fn ended(&self, result: Result<(), Box<dyn StdError + Send + Sync>>) {
        if let Err(error) = result {
            tracing::debug!(%error, "a connection broke");
        }
    }

    fn handshake_failed(&self, address: SocketAddr, error: &dyn StdError) {
        if let Some(count) = self.failed_handshakes.count() {
            tracing::info!(client.address = %address.ip(), %error, count, "TLS handshakes failed");
        }
    }
}

fn overdue(activity: &Activity, times: &Times) -> Option<Overdue> {
    let (by, what) = activity.due(times)?;
    (by <= Instant::now()).then_some(what)
}

/// Every limit that hyper knows is set: by itself it leaves many open.
fn http(limits: &Limits, times: Times) -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    // It also runs between requests. The time of a head has its own watch.
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(times.idle.max(times.header))
        .max_buf_size(limits.max_header_bytes as usize);
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .max_concurrent_streams(limits.max_streams_per_connection)
        .max_header_list_size(limits.max_header_bytes)
        .max_local_error_reset_streams(RESET_STREAMS_MAX)
        .max_pending_accept_reset_streams(RESET_STREAMS_MAX);
    http
}
