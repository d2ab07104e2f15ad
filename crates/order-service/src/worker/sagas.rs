//! Finds sagas that are due, and keeps the claims on those that run.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;

/// An order whose process died is found this long after its lease, at most.
const POLL: Duration = Duration::from_millis(500);
const CLAIM_LIMIT: i64 = 256;
/// More than this many at once would only wait for one another.
const RUNNING_MAX: usize = 2048;

pub async fn run_due_sagas(app: App, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let full = match app.running_sagas() < RUNNING_MAX {
            true => claim(&app).await,
            false => false,
        };
        if full {
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            () = app.saga_due() => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Whether there may be more.
async fn claim(app: &App) -> bool {
    match app.run_due_sagas(CLAIM_LIMIT).await {
        Ok(count) => i64::try_from(count).unwrap_or(i64::MAX) == CLAIM_LIMIT,
        Err(error) => {
            tracing::warn!(%error, "cannot look for sagas that are due");
            false
        }
    }
}

/// Three times per lease. Goes on while the process drains: until the last
/// saga has ended, its claim must hold.
pub async fn renew_claims(app: App, lease: Duration, drained: CancellationToken) {
    while !drained.is_cancelled() {
        tokio::select! {
            () = tokio::time::sleep(lease / 3) => {}
            () = drained.cancelled() => return,
        }
        if let Err(error) = app.renew_claims().await {
            tracing::warn!(%error, "cannot renew claims");
        }
    }
}
