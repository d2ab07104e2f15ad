//! The endpoints, and the listener for them that is apart from the API: no
//! limit of the API may ever make a probe fail.

use std::{sync::Arc, time::Duration};

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};

use crate::{Health, Report};

/// A client that sends its headers slower than this is cut off.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
const CONNECTIONS_MAX: usize = 256;
/// Out of file descriptors: trying again at once would only burn the CPU.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// `/health/{startup,live,ready}` and the names that people expect.
pub fn router(health: Health) -> Router {
    Router::new()
        .route("/health/startup", get(startup))
        .route("/health/live", get(live))
        .route("/livez", get(live))
        .route("/health/ready", get(ready))
        .route("/readyz", get(ready))
        .route("/healthz", get(ready))
        .with_state(health)
}

async fn startup(State(health): State<Health>) -> (StatusCode, Json<Report>) {
    answer(health.startup())
}

async fn live() -> (StatusCode, Json<Report>) {
    answer(Report::of([]))
}

async fn ready(State(health): State<Health>) -> (StatusCode, Json<Report>) {
    answer(health.ready().await)
}

fn answer(report: Report) -> (StatusCode, Json<Report>) {
    let code = if report.ok {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (code, Json(report))
}

/// Serves until the future is dropped, which cuts all connections: the
/// endpoints must answer to the very end of a drain and must not prolong it.
pub async fn serve(listener: TcpListener, router: Router) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(connection(stream, router.clone(), place));
            }
            Err(error) => {
                tracing::warn!(%error, "the private listener cannot accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, router: Router, _place: OwnedSemaphorePermit) {
    let result = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .await;
    if let Err(error) = result {
        tracing::debug!(%error, "a connection to the private listener broke");
    }
}
