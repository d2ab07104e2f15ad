//! Deletes what nobody needs any more, a little at a time.

use std::convert::Infallible;
use std::time::Duration;

use database::Database;
use tokio_util::sync::CancellationToken;

use crate::store::webhook_events;

const EVERY: Duration = Duration::from_secs(60);
const ROWS_AT_ONCE: i64 = 1_000;

/// Runs until `shutdown`.
pub async fn keep_house(db: Database, shutdown: CancellationToken) -> Result<(), Infallible> {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(EVERY) => {}
        }
        if let Err(error) = prune(&db, &shutdown).await {
            tracing::warn!(%error, "old rows cannot be deleted");
        }
    }
}

async fn prune(db: &Database, shutdown: &CancellationToken) -> database::Result<()> {
    let full = ROWS_AT_ONCE.unsigned_abs();
    while idempotency::prune(db, ROWS_AT_ONCE).await? >= full && !shutdown.is_cancelled() {}
    loop {
        let mut conn = db.acquire().await?;
        let pruned = webhook_events::prune(&mut conn, ROWS_AT_ONCE).await?;
        if pruned < full || shutdown.is_cancelled() {
            return Ok(());
        }
    }
}
