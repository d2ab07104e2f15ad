//! A listener with routes that behave in all ways that matter to it.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Extension, Router, body::Body, routing::get, routing::post};
use bytes::Bytes;
use http_body_util::BodyExt;
use listener::{Limits, Peer, tls};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longer than anything in these tests takes that works.
pub const SOON: Duration = Duration::from_secs(10);

pub struct Served {
    pub address: SocketAddr,
    pub shutdown: CancellationToken,
    pub running: Arc<AtomicUsize>,
    pub task: JoinHandle<()>,
}

impl Served {
    /// How many requests are being answered, as soon as it is `count`.
    pub async fn runs(&self, count: usize) {
        let reached = async {
            while self.running.load(Ordering::Relaxed) != count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let reached = tokio::time::timeout(SOON, reached).await;
        reached.unwrap_or_else(|_| {
            panic!("{} run, not {count}", self.running.load(Ordering::Relaxed))
        });
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub async fn serve(limits: &Limits) -> Served {
    serve_with(limits, None, SOON).await
}

pub async fn serve_with(limits: &Limits, tls: Option<&tls::Files>, drain: Duration) -> Served {
    let any = "127.0.0.1:0".parse().unwrap();
    let bound = listener::bind(any, limits, tls).await.unwrap();
    let (shutdown, running) = (CancellationToken::new(), Arc::default());
    Served {
        address: bound.local_addr(),
        task: tokio::spawn(bound.serve(routes(&running), shutdown.clone(), drain)),
        shutdown,
        running,
    }
}

/// Counts what runs.
#[derive(Clone)]
struct Runs(Arc<AtomicUsize>);

impl Runs {
    fn one(&self) -> Run {
        self.0.fetch_add(1, Ordering::Relaxed);
        Run(self.clone())
    }
}

struct Run(Runs);

impl Drop for Run {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn routes(running: &Arc<AtomicUsize>) -> Router {
    Router::new()
        .route("/", get(async || "hello"))
        .route("/peer", get(peer))
        .route("/length", post(length))
        .route("/slow", get(slow))
        .route("/hang", get(hang))
        .route("/endless", get(endless))
        .route(
            "/panic",
            get(async || -> &'static str { panic!("on purpose") }),
        )
        .layer(Extension(Runs(running.clone())))
}

async fn peer(Extension(peer): Extension<Peer>) -> String {
    format!("{} {}", peer.address.ip(), peer.names.join(","))
}

async fn length(body: Body) -> Result<String, String> {
    match body.collect().await {
        Ok(body) => Ok(body.to_bytes().len().to_string()),
        Err(error) => Ok(format!("broken: {error}")),
    }
}

async fn slow(Extension(runs): Extension<Runs>) -> &'static str {
    let _run = runs.one();
    tokio::time::sleep(Duration::from_millis(500)).await;
    "done"
}

async fn hang(Extension(runs): Extension<Runs>) -> &'static str {
    let _run = runs.one();
    std::future::pending().await
}

/// Runs as long as its body is there.
async fn endless(Extension(runs): Extension<Runs>) -> Body {
    struct Endless(#[expect(dead_code, reason = "held, not read")] Run);
    impl http_body::Body for Endless {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
            let frame = http_body::Frame::data(Bytes::from_static(&[b'x'; 16 * 1024]));
            std::task::Poll::Ready(Some(Ok(frame)))
        }
    }
    Body::new(Endless(runs.one()))
}
