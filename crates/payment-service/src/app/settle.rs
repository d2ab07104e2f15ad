//! The last step of every verb: one transaction that makes true what the
//! provider told, writes the ledger, tells others, and keeps the answer. Reply,
//! webhook and reconciler all end here.

use std::sync::Arc;

use batch::Gatherer;
use database::{AsDatabaseError, Database};
use futures::future::BoxFuture;
use idempotency::{Answer, Refusal, Saved};
use outbox::Wake;
use tokio::sync::Notify;
use types::{CaptureId, PaymentId, RefundId};
use uuid::Uuid;

use super::apply_webhook::{Applied, Told};
use super::books::settle;
use super::{AppError, BATCH_MAX, CaptureMade, Confirmed, Created, Policy, RefundMade, Voided};
use crate::domain::{Account, Fact, Payment};
use crate::metrics::{self, Count, Webhook};

/// A fact about a payment.
#[derive(Debug, Clone)]
pub(super) struct Report {
    pub(super) payment: PaymentId,
    pub(super) fact: Fact,
    /// The provider says so now, and not at some time before.
    pub(super) is_fresh: bool,
    /// The call that waits for it.
    pub(super) close: Option<Close>,
    pub(super) traceparent: Option<String>,
}

impl Report {
    pub(super) fn fresh(payment: PaymentId, fact: Fact) -> Report {
        Report {
            payment,
            fact,
            is_fresh: true,
            close: None,
            traceparent: telemetry::propagation::current_traceparent(),
        }
    }

    pub(super) fn maybe_old(payment: PaymentId, fact: Fact) -> Report {
        Report {
            is_fresh: false,
            ..Report::fresh(payment, fact)
        }
    }

    pub(super) fn closing(self, close: Close) -> Report {
        Report {
            close: Some(close),
            ..self
        }
    }
}

/// A running idempotency key, by the work that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Close {
    Create(PaymentId),
    Capture(CaptureId),
    Refund(RefundId),
    Confirm(Uuid),
    Void(Uuid),
}

impl Close {
    pub(super) fn method(self) -> &'static str {
        match self {
            Close::Create(_) => super::create_payment::METHOD,
            Close::Capture(_) => super::capture_payment::METHOD,
            Close::Refund(_) => super::refund_payment::METHOD,
            Close::Confirm(_) => super::confirm_payment::METHOD,
            Close::Void(_) => super::void_payment::METHOD,
        }
    }

    pub(super) fn resource(self) -> Uuid {
        match self {
            Close::Create(id) => id.as_uuid(),
            Close::Capture(id) => id.as_uuid(),
            Close::Refund(id) => id.as_uuid(),
            Close::Confirm(id) | Close::Void(id) => id,
        }
    }

    /// The answer to keep, as things stand; `None` while there is none.
    pub(super) fn answer(self, account: &Account) -> Option<Saved> {
        let payment = &account.payment;
        match self {
            Close::Create(_) => kept(Created::answer(payment)),
            Close::Capture(id) => kept(CaptureMade::answer(account, id)),
            Close::Refund(id) => kept(RefundMade::answer(account, id)),
            Close::Confirm(_) => kept(Confirmed::answer(payment)),
            Close::Void(_) => kept(Voided::answer(payment)),
        }
    }
}

fn kept<T: Answer>(answer: Result<T, AppError>) -> Option<Saved> {
    match answer {
        Ok(answer) => Some(answer.saved()),
        Err(refusal) => refusal.saved(),
    }
}

/// A payment after a report.
#[derive(Debug, Clone)]
pub(super) struct Settled {
    pub(super) payment: Payment,
    /// The answer that counts for the call that waited; `None`: there is none
    /// yet.
    pub(super) answer: Option<Saved>,
}

/// What the settling transactions need.
#[derive(Clone)]
pub(super) struct Settling {
    pub(super) db: Database,
    pub(super) policy: Policy,
    pub(super) due: Arc<Notify>,
    pub(super) outbox: Wake,
}

impl Settling {
    pub(super) fn gather_reports(self) -> Gatherer<Report, Result<Settled, AppError>> {
        Gatherer::spawn("settle", BATCH_MAX, move |reports: Vec<Report>| {
            let this = self.clone();
            async move { this.settle_all(&reports).await }
        })
    }

    pub(super) fn gather_webhooks(self) -> Gatherer<Told, Result<Applied, AppError>> {
        Gatherer::spawn("webhook", BATCH_MAX, move |told: Vec<Told>| {
            let this = self.clone();
            async move {
                let applied = this.apply_all(&told).await;
                applied.iter().map(Webhook::of).for_each(metrics::webhook);
                applied
            }
        })
    }

    async fn settle_all(&self, reports: &[Report]) -> Vec<Result<Settled, AppError>> {
        in_parts(reports, |part| {
            let this = self.clone();
            Box::pin(async move { this.settle_part(part).await })
        })
        .await
    }

    async fn settle_part(
        &self,
        part: &[Report],
    ) -> Result<Vec<Result<Settled, AppError>>, AppError> {
        let run = || async {
            let mut tx = self.db.begin().await?;
            let settled = settle(&mut tx, part, &self.policy);
            let settled = failpoint::around!("payment.settle", "record", settled.await)?;
            failpoint::around!("payment.settle", "commit", tx.commit().await)?;
            Ok::<_, AppError>(settled)
        };
        let (settled, news) = self.db.retry(run).await?;
        self.tell(news);
        Ok(settled)
    }

    pub(super) fn tell(&self, news: News) {
        if news.has_events {
            self.outbox.wake();
        }
        if news.is_due {
            self.due.notify_one();
        }
        news.counts.into_iter().for_each(Count::add);
    }
}

/// What others have to know after the commit.
#[derive(Debug, Clone, Default)]
pub(super) struct News {
    pub(super) has_events: bool,
    pub(super) is_due: bool,
    pub(super) counts: Vec<Count>,
}

/// One result for each item, or a failure of all of them.
type Acting<'a, O> = BoxFuture<'a, Result<Vec<Result<O, AppError>>, AppError>>;

/// Runs `act` on all items. If it fails for a reason that may lie in one of
/// them it is run on halves, until only the culprit fails; a database that is
/// away fails all of them at once.
pub(super) async fn in_parts<I, O>(
    items: &[I],
    act: impl for<'a> Fn(&'a [I]) -> Acting<'a, O>,
) -> Vec<Result<O, AppError>> {
    let mut results = Vec::with_capacity(items.len());
    let mut parts = vec![items];
    while let Some(part) = parts.pop() {
        let mut done = act(part).await;
        if done.as_ref().is_err_and(is_unknown_commit) {
            // Settling twice does no harm: what is true already stays.
            done = act(part).await;
        }
        match done {
            Ok(done) => results.extend(done),
            Err(error) if part.len() > 1 => match away(&error) {
                Some(cause) => {
                    let told = part.iter().map(|_| Err(AppError::Database(cause.clone())));
                    results.extend(told);
                }
                None => {
                    tracing::warn!(%error, batch.size = part.len(), "a batch is split to find the culprit");
                    let (first, rest) = part.split_at(part.len() / 2);
                    parts.push(rest);
                    parts.push(first);
                }
            },
            Err(error) => results.push(Err(error)),
        }
    }
    results
}

fn is_unknown_commit(error: &AppError) -> bool {
    error
        .as_database_error()
        .is_some_and(database::Error::is_outcome_unknown)
}

/// A failure that no item is to blame for.
fn away(error: &AppError) -> Option<&database::Error> {
    let error = error.as_database_error()?;
    (error.is_unavailable() || error.is_transient()).then_some(error)
}
