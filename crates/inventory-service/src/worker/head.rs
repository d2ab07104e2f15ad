//! Looks for new movements, on behalf of all streams of this process.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::{App, Head};

/// Runs until cancelled. Movements of this process are found at once, those of
/// others at the next poll.
pub async fn follow_head(app: App, head: Head, poll: Duration, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        if let Err(error) = app.look_for_movements().await {
            tracing::debug!(%error, "could not look for movements");
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = head.to_look_again() => {}
            () = tokio::time::sleep(poll) => {}
        }
    }
}
