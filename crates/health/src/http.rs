//! The endpoints, and the listener for them that is apart from the API: no
//! limit of the API may ever make a probe fail.

use std::time::Duration;

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use listener::{Bound, Limits};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{Health, Report};

/// A client that sends its headers slower than this is cut off.
const HEADER_TIMEOUT_MS: u64 = 5_000;
const CONNECTIONS_MAX: usize = 256;

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
    let limits = Limits {
        max_connections: CONNECTIONS_MAX,
        max_connections_per_address: CONNECTIONS_MAX,
        header_timeout_ms: HEADER_TIMEOUT_MS,
        ..Limits::default()
    };
    match Bound::new(listener, &limits, None) {
        Ok(bound) => {
            let never = CancellationToken::new();
            bound.serve(router, never, Duration::ZERO).await;
        }
        Err(error) => tracing::error!(%error, "the private listener cannot be served"),
    }
}
