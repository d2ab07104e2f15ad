//! Ends holds whose time is over.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{app::App, settings::Holds};

/// Runs until cancelled.
pub async fn sweep_holds(app: App, settings: Holds, shutdown: CancellationToken) {
    let batch = i64::from(settings.sweep_batch.max(1));
    while !shutdown.is_cancelled() {
        let expired = app.expire_holds(batch).await;
        match expired {
            // There may be more at once.
            Ok(expired) if expired as i64 == batch => continue,
            Ok(0) => {}
            Ok(expired) => tracing::info!(expired, "holds have expired"),
            Err(error) => tracing::warn!(%error, "overdue holds could not be ended"),
        }
        pause(&shutdown, settings.sweep_interval()).await;
    }
}

async fn pause(shutdown: &CancellationToken, time: Duration) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = tokio::time::sleep(time) => {}
    }
}
