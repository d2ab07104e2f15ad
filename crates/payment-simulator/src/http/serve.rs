//! The accept loop: a limit on connections, a limit on the time a request head
//! may take, and an end that an idle connection cannot delay.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;
use tracing::Instrument;

use super::reply::Dropped;
use super::{Api, router, span};

/// Counts on an idle connection too, so it is longer than a head needs.
const HEAD_TIME_MAX: Duration = Duration::from_secs(60);
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the answer was lost on purpose")]
struct AnswerLost;

/// Takes connections until `stop`; then each ends after the request under way.
pub async fn serve(
    listener: TcpListener,
    api: Arc<Api>,
    connections: TaskTracker,
    stop: CancellationToken,
) {
    let permits = Arc::new(Semaphore::new(api.connections_max));
    let router = router(api);
    loop {
        let next = async {
            let permit = Arc::clone(&permits).acquire_owned().await;
            (listener.accept().await, permit)
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = next => accepted,
        };
        match accepted {
            (Ok((stream, _)), Ok(permit)) => {
                let connection = converse(stream, router.clone(), permit, stop.clone());
                connections.spawn(connection);
            }
            (Err(error), _) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            (_, Err(_)) => return,
        }
    }
}

async fn converse(
    stream: TcpStream,
    router: Router,
    _permit: OwnedSemaphorePermit,
    stop: CancellationToken,
) {
    // Only costs time when it fails.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(router.clone(), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn answer(router: Router, request: Request<Incoming>) -> Result<Response, AnswerLost> {
    let span = span::of(&request);
    let answering = router.oneshot(request.map(Body::new));
    let answered: Result<Response, Infallible> = answering.instrument(span.clone()).await;
    match answered {
        Ok(response) if response.extensions().get::<Dropped>().is_some() => Err(AnswerLost),
        Ok(response) => {
            span.record("http.response.status_code", response.status().as_u16());
            Ok(response)
        }
    }
}
