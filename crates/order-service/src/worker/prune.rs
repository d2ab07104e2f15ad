//! Removes what nobody needs any more, a little at a time.

use std::time::Duration;

use database::Database;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(60);
const LIMIT: i64 = 10_000;
/// Far longer than a message can be on its way.
const INBOX_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

pub async fn prune(db: Database, stop: CancellationToken) {
    while !stop.is_cancelled() {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = idempotency::prune(&db, LIMIT).await {
            tracing::warn!(%error, "cannot prune expired keys");
        }
        if let Err(error) = outbox::prune_inbox(&db, INBOX_AGE, LIMIT).await {
            tracing::warn!(%error, "cannot prune the inbox");
        }
    }
}
