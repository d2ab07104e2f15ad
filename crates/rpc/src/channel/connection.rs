//! One connection to one endpoint.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::Notify,
    task::JoinHandle,
    time::Instant,
};
use tonic::body::Body;

use super::place::Place;

/// Until the peer has said its first word.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);
/// hyper leaves some of these open by itself.
const RESET_STREAMS_MAX: usize = 1024;
const HEADER_BYTES_MAX: u32 = 16 * 1024;

/// A connection that has been answered once.
pub(super) struct Link {
    pub(super) sender: SendRequest<Body>,
    heard: Arc<Heard>,
    /// Its end counts as one error, however many calls it ends.
    pub(super) counted: AtomicBool,
}

impl Link {
    pub(super) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    pub(super) fn last_heard(&self) -> Instant {
        self.heard.last()
    }
}

/// Ends when nothing more can be sent; calls in flight may still be answered.
pub(super) type Ended = JoinHandle<hyper::Result<()>>;

/// # Errors
/// When there is no connection, or nobody speaks on it: a port is open in
/// front of a process that is frozen, and a proxy's in front of none.
pub(super) async fn connect(address: SocketAddr, place: &Place) -> io::Result<(Link, Ended)> {
    let connecting = async {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        match &place.tls {
            None => greet(stream).await,
            Some(tls) => greet(tls.over(stream).await?).await,
        }
    };
    let timed = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await;
    timed.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn greet<T>(stream: T) -> io::Result<(Link, Ended)>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let heard = Arc::new(Heard::new());
    let stream = Ears {
        stream,
        heard: heard.clone(),
    };
    let handshake = http().handshake(TokioIo::new(stream)).await;
    let (sender, connection) = handshake.map_err(io::Error::other)?;
    let mut ended = tokio::spawn(connection);
    tokio::select! {
        biased;
        () = heard.first.notified() => {}
        _ = &mut ended => {
            let silent = "the connection ended before the peer said anything";
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, silent));
        }
    }
    let link = Link {
        sender,
        heard,
        counted: AtomicBool::new(false),
    };
    Ok((link, ended))
}

fn http() -> http2::Builder<TokioExecutor> {
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new())
        .keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .max_header_list_size(HEADER_BYTES_MAX)
        .max_concurrent_reset_streams(RESET_STREAMS_MAX)
        .max_pending_accept_reset_streams(RESET_STREAMS_MAX)
        .max_local_error_reset_streams(RESET_STREAMS_MAX);
    http
}

/// When the peer was heard last.
struct Heard {
    began: Instant,
    /// Microseconds since then, and at least 1 once it was heard.
    last: AtomicU64,
    first: Notify,
}

impl Heard {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            last: AtomicU64::new(0),
            first: Notify::new(),
        }
    }

    fn now(&self) {
        let after = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        if self.last.swap(after.max(1), Ordering::Relaxed) == 0 {
            self.first.notify_one();
        }
    }

    fn last(&self) -> Instant {
        self.began + Duration::from_micros(self.last.load(Ordering::Relaxed))
    }
}

/// Notes that something was read.
struct Ears<T> {
    stream: T,
    heard: Arc<Heard>,
}

impl<T: AsyncRead + Unpin> AsyncRead for Ears<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.heard.now();
        }
        read
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Ears<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
