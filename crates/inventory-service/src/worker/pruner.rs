//! Deletes idempotency keys whose time is over.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;

const INTERVAL: Duration = Duration::from_secs(60);
const BATCH: i64 = 1_000;

/// Runs until cancelled.
pub async fn prune_keys(app: App, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        match app.prune_keys(BATCH).await {
            Ok(pruned) if pruned as i64 == BATCH => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "old idempotency keys could not be deleted"),
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}
