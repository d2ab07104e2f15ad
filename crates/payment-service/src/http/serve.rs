//! The accept loop: a limit on connections, a limit on the time that a request
//! head may take, and an end that an idle connection cannot delay.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Counts on an idle connection too, which a provider may keep for a while.
const HEAD_TIME_MAX: Duration = Duration::from_secs(30);
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Takes connections until `shutdown`; then each ends after the request under
/// way, within `drain`.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    connections_max: usize,
    shutdown: CancellationToken,
    drain: Duration,
) -> Result<(), Infallible> {
    let places = Arc::new(Semaphore::new(connections_max.max(1)));
    let mut connections = JoinSet::new();
    while let Some(accepted) = accept(&listener, &places, &shutdown).await {
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, place)) => {
                connections.spawn(converse(stream, router.clone(), place, shutdown.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(drain, ended).await.is_err() {
        tracing::warn!("webhook connections were still open when the drain deadline came");
    }
    Ok(())
}

type Accepted = std::io::Result<(TcpStream, OwnedSemaphorePermit)>;

/// `None`: no more are taken.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    shutdown: &CancellationToken,
) -> Option<Accepted> {
    let next = async {
        let place = places.clone().acquire_owned().await;
        let place = place.map_err(std::io::Error::other)?;
        let (stream, _) = listener.accept().await?;
        Ok((stream, place))
    };
    tokio::select! {
        () = shutdown.cancelled() => None,
        accepted = next => Some(accepted),
    }
}

async fn converse(
    stream: TcpStream,
    router: Router,
    _place: OwnedSemaphorePermit,
    shutdown: CancellationToken,
) {
    // Only costs time when it fails.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a webhook connection ended early");
    }
}
