//! Claims payments whose check is due and checks them, a few at once. It takes
//! no input: a call whose outcome stayed unknown, a process that died and a
//! webhook that never came are all found here.

use std::convert::Infallible;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span};
use types::PaymentId;

use crate::app::{App, AppError, Due};

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

async fn check_all(app: &App, tracker: &TaskTracker, claimed: Vec<Due>) {
    let checks: Vec<_> = claimed
        .into_iter()
        .map(|due| {
            let (app, id, span) = (app.clone(), due.payment, span_of(&due));
            tracker.spawn(async move { check(&app, id).await }.instrument(span))
        })
        .collect();
    // A check that panicked has logged that; its payment is claimed again.
    futures::future::join_all(checks).await;
}

/// In the trace of the order, from which the payment was asked for.
fn span_of(due: &Due) -> Span {
    let Due {
        payment,
        order,
        traceparent,
    } = due;
    let span = tracing::info_span!(parent: None, "check", payment.id = %payment, order.id = %order);
    if let Some(traceparent) = traceparent {
        telemetry::propagation::set_parent_from(&span, traceparent);
    }
    span
}

async fn check(app: &App, id: PaymentId) {
    match failpoint::around!("payment.reconciler", "check", app.check(id).await) {
        Ok(()) => tracing::debug!("checked"),
        Err(AppError::OutcomeUnknown | AppError::ProviderUnavailable(_)) => {
            tracing::info!("the provider did not tell, it is asked again");
        }
        Err(error) => tracing::warn!(%error, "a check failed, it is repeated"),
    }
}
