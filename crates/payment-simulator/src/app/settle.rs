//! Refunds that are pending and settle by themselves.

use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument;

use super::{App, AppError, now, now_ms};
use crate::books::entry::EventKind;
use crate::books::refund::{Refund, RefundState};
use crate::books::{Account, Step};

impl App {
    /// Takes up the refunds that the last process left pending.
    pub fn settle_unsettled(self: &Arc<Self>, refunds: Vec<String>) {
        for refund in refunds {
            let Some(account) = self.books.account_of_refund(&refund) else {
                continue;
            };
            let settles_at_ms = pending(&account.lock(), &refund).map(|(_, at, _)| at);
            if let Some(settles_at_ms) = settles_at_ms {
                self.settle_later(refund, settles_at_ms);
            }
        }
    }

    /// In the trace of the request that is being carried out, if there is one.
    pub(super) fn settle_later(self: &Arc<Self>, refund: String, settles_at_ms: i64) {
        let app = Arc::clone(self);
        let traceparent = telemetry::propagation::current_traceparent();
        let wait_ms = u64::try_from(settles_at_ms - now_ms()).unwrap_or(0);
        self.tracker.spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(wait_ms)) => {}
                () = app.stop.cancelled() => return,
            }
            let span = tracing::info_span!("settle", refund.id = refund);
            if let Some(traceparent) = traceparent {
                telemetry::propagation::set_parent_from(&span, &traceparent);
            }
            let settling = async {
                if let Err(error) = app.settle(&refund).await {
                    tracing::error!(%error, "a refund was not settled");
                }
            };
            settling.instrument(span).await;
        });
    }

    async fn settle(&self, id: &str) -> Result<(), AppError> {
        let Some(account) = self.books.account_of_refund(id) else {
            return Ok(());
        };
        let recorded = {
            let mut state = account.lock();
            let Some((mut refund, _, succeeds)) = pending(&state, id) else {
                return Ok(());
            };
            let mut intent = state.intent.clone();
            let event = if succeeds {
                refund.state = RefundState::Succeeded;
                EventKind::RefundUpdated
            } else {
                refund.state = RefundState::Failed;
                intent.refund_failed(refund.amount_minor);
                EventKind::RefundFailed
            };
            let step = Step {
                at: now(),
                intent: Some(intent),
                refund: Some(refund),
                events: self.events(&[event]),
                answer: None,
            };
            self.books.record(&account, &mut state, step, None)?
        };
        self.books.durable(recorded.end).await?;
        if let Some(webhooks) = &self.webhooks {
            webhooks.send(&recorded.events);
        }
        Ok(())
    }
}

fn pending(account: &Account, id: &str) -> Option<(Refund, i64, bool)> {
    let refund = account.refunds.iter().find(|refund| refund.id == id)?;
    match refund.state {
        RefundState::Pending {
            settles_at_ms,
            succeeds,
        } => Some((refund.clone(), settles_at_ms, succeeds)),
        RefundState::Succeeded | RefundState::Failed => None,
    }
}
