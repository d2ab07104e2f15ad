//! Claims payments whose check is due and checks them, a few at once. It takes
//! no input: a call whose outcome stayed unknown, a process that died and a
//! webhook that never came are all found here.

use std::convert::Infallible;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;
use types::PaymentId;

use crate::app::{App, AppError};

const AT_ONCE: i64 = 32;
const POLL: Duration = Duration::from_millis(500);
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Runs until `shutdown`. Checks under way are ended by `tracker`.
pub async fn reconcile(
    app: App,
    tracker: TaskTracker,
    shutdown: CancellationToken,
) -> Result<(), Infallible> {
    while !shutdown.is_cancelled() {
        let pause = match app.claim_due(AT_ONCE).await {
            Ok(claimed) if claimed.is_empty() => POLL,
            Ok(claimed) => {
                check_all(&app, &tracker, claimed).await;
                Duration::ZERO
            }
            Err(error) => {
                tracing::warn!(%error, "payments to be checked cannot be claimed");
                PAUSE_AFTER_FAILURE
            }
        };
        if !pause.is_zero() {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = app.something_is_due() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
    Ok(())
}

async fn check_all(app: &App, tracker: &TaskTracker, claimed: Vec<PaymentId>) {
    let checks: Vec<_> = claimed
        .into_iter()
        .map(|id| {
            let app = app.clone();
            let span = tracing::info_span!(parent: None, "check", payment.id = %id);
            tracker.spawn(async move { check(&app, id).await }.instrument(span))
        })
        .collect();
    // A check that panicked has logged that; its payment is claimed again.
    futures::future::join_all(checks).await;
}

async fn check(app: &App, id: PaymentId) {
    match app.check(id).await {
        Ok(()) => tracing::debug!("checked"),
        Err(AppError::OutcomeUnknown | AppError::ProviderUnavailable(_)) => {
            tracing::info!("the provider did not tell, it is asked again");
        }
        Err(error) => tracing::warn!(%error, "a check failed, it is repeated"),
    }
}
