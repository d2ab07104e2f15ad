//! What the provider tells of itself: recorded and applied in one transaction,
//! each event once.

use std::collections::HashSet;

use database::Connection;
use tracing::Span;
use types::PaymentId;

use super::books::settle;
use super::error::no_payment;
use super::settle::{News, Report, Settling, in_parts};
use super::{App, AppError, Policy, name_in};
use crate::domain::{Fact, Payment};
use crate::metrics::{self, Webhook};
use crate::provider::{Event, EventObject};
use crate::store::payments;
use crate::store::webhook_events::{self, Received};

/// The one provider there is; the name is part of each event's identity.
pub const STRIPE: &str = "stripe";

/// An event that came by webhook.
#[derive(Debug, Clone)]
pub struct Told {
    received: Received,
    /// `None`: it is about nothing of ours.
    report: Option<Report>,
    /// In which it is heard.
    span: Span,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    Now,
    /// It was applied before.
    Before,
    /// It is about nothing of ours; only recorded.
    Ignored,
}

impl Told {
    pub fn of(event: &Event, payload_sha256: [u8; 32]) -> Told {
        let report = match &event.data.object {
            EventObject::PaymentIntent(seen) => seen
                .payment_id()
                .zip(seen.intent())
                .map(|(id, intent)| Report::maybe_old(id, Fact::Seen(intent))),
            EventObject::Refund(seen) => seen
                .payment_id()
                .zip(seen.refund_id())
                .map(|(id, refund)| Report::maybe_old(id, Fact::Refund(seen.seen(refund)))),
            EventObject::Other => None,
        };
        Told {
            received: Received {
                event_id: event.id.clone(),
                kind: event.kind.clone(),
                payment_id: report.as_ref().map(|report| report.payment),
                payload_sha256,
            },
            report,
            span: Span::current(),
        }
    }

    /// It may come in a trace of the provider's, and belongs to the order's.
    fn link(&self, payment: &Payment) {
        name_in(&self.span, payment);
        if let Some(traceparent) = &payment.traceparent {
            telemetry::propagation::add_link(&self.span, traceparent);
        }
    }

    fn payment(&self) -> Option<PaymentId> {
        self.report.as_ref().map(|report| report.payment)
    }
}

impl App {
    /// Returns once the event is recorded and applied.
    ///
    /// # Errors
    /// `NotFound` for a payment of ours that is not there: the provider has to
    /// send the event again.
    pub async fn apply_webhook(&self, told: Told) -> Result<Applied, AppError> {
        let told = self.webhooks.call(told).await;
        told.inspect_err(|_| metrics::webhook(Webhook::Failed))?
    }
}

impl Settling {
    pub(super) async fn apply_all(&self, told: &[Told]) -> Vec<Result<Applied, AppError>> {
        in_parts(told, |part| {
            let this = self.clone();
            Box::pin(async move { this.apply_part(part).await })
        })
        .await
    }

    async fn apply_part(&self, part: &[Told]) -> Result<Vec<Result<Applied, AppError>>, AppError> {
        let run = || async {
            let mut tx = self.db.begin().await?;
            let applied = apply(&mut tx, part, &self.policy);
            let applied = failpoint::around!("payment.webhook", "apply", applied.await)?;
            failpoint::around!("payment.webhook", "commit", tx.commit().await)?;
            Ok::<_, AppError>(applied)
        };
        let (applied, news) = self.db.retry(run).await?;
        self.tell(news);
        Ok(applied)
    }
}

type Outcome = (Vec<Result<Applied, AppError>>, News);

async fn apply(conn: &mut Connection, told: &[Told], policy: &Policy) -> Result<Outcome, AppError> {
    // Rows are locked before events are recorded, as everywhere: who waits for
    // the same event waits here.
    let ids: HashSet<PaymentId> = told.iter().filter_map(Told::payment).collect();
    let ids: Vec<PaymentId> = ids.into_iter().collect();
    let known = payments::lock(conn, &ids).await?.payments;
    let is_known = |told: &&Told| told.payment().is_none_or(|id| known.contains_key(&id));
    let recordable: Vec<&Received> = told
        .iter()
        .filter(is_known)
        .map(|told| &told.received)
        .collect();
    let mut fresh = webhook_events::insert(conn, STRIPE, &recordable).await?;

    let mut reports = Vec::new();
    let mut results = Vec::with_capacity(told.len());
    for told in told {
        if let Some(payment) = told.payment().and_then(|id| known.get(&id)) {
            told.link(payment);
        }
        results.push(match (&told.report, told.payment()) {
            (_, Some(id)) if !known.contains_key(&id) => Err(no_payment(id)),
            _ if !fresh.remove(&told.received.event_id) => Ok(Applied::Before),
            (Some(report), _) => {
                reports.push(report.clone());
                Ok(Applied::Now)
            }
            (None, _) => Ok(Applied::Ignored),
        });
    }
    let (settled, news) = settle(conn, &reports, policy).await?;
    match settled.into_iter().find_map(Result::err) {
        Some(error) => Err(error),
        None => Ok((results, news)),
    }
}
