//! The reconciler's verb: finds out all that is open about one payment and ends
//! it. It takes no input but the payment, so that a first try, a repeat and a
//! recovery are the same.

use std::time::Duration;

use types::PaymentId;

use super::settle::Report;
use super::{App, AppError};
use crate::domain::{Fact, Payment, State};
use crate::provider::ProviderError;
use crate::store::payments::{self, Due};
use crate::store::{captures, refunds};

impl App {
    /// Claims payments whose check is due.
    pub async fn claim_due(&self, limit: i64) -> Result<Vec<Due>, AppError> {
        let lease = self.policy.abandoned_after().max(Duration::from_secs(1));
        let lease = lease.min(self.policy.pause_max());
        let claim = || async {
            let mut tx = self.db.begin().await?;
            let pause_max = self.policy.pause_max();
            let due = payments::claim_due(&mut tx, limit, lease, pause_max).await?;
            failpoint::around!("payment.reconciler", "claim", tx.commit().await)?;
            Ok::<_, AppError>(due)
        };
        self.db.retry(claim).await
    }

    /// # Errors
    /// `OutcomeUnknown` and `ProviderUnavailable` when something is as open as
    /// before.
    pub async fn check(&self, id: PaymentId) -> Result<(), AppError> {
        let (pending_captures, pending_refunds) = {
            let mut conn = self.db.acquire().await?;
            (
                captures::open(&mut conn, &[id], &[]).await?,
                refunds::open(&mut conn, &[id], &[]).await?,
            )
        };
        for capture in pending_captures {
            self.find_out_capture(id, capture.id).await?;
        }
        for refund in pending_refunds {
            self.find_out_refund(id, refund.id).await?;
        }
        self.compare(id).await?;
        self.rest(id).await
    }

    /// Compares the payment itself, and gives back what is not to be held.
    async fn compare(&self, id: PaymentId) -> Result<(), AppError> {
        let read = self.read(id).await?;
        if read.payment.provider_reference.is_none() && !read.payment.state.is_unknown() {
            return Ok(());
        }
        let fact = self.ask(&read.payment, read.now).await?;
        let is_holding = matches!(&fact, Fact::Seen(intent) if intent.is_holding());
        let settled = self.report(Report::fresh(id, fact)).await?;
        let payment = settled.payment;
        match is_holding && is_to_be_cancelled(&payment) {
            true => self.cancel(&payment).await,
            false => Ok(()),
        }
    }

    async fn cancel(&self, payment: &Payment) -> Result<(), AppError> {
        let Some(reference) = &payment.provider_reference else {
            return Ok(());
        };
        let asked = self.provider.cancel(reference);
        let intent = match failpoint::around!("payment.cancel", "call", asked.await) {
            Ok(intent) => intent,
            // Something happened there meanwhile: look.
            Err(ProviderError::Refused { .. } | ProviderError::Declined { .. }) => {
                let retrieved = self.provider.retrieve(reference).await;
                retrieved.map_err(super::ask::not_known)?
            }
            Err(error) => return Err(super::ask::not_known(error)),
        };
        let report = Report::fresh(payment.id, Fact::Seen(intent));
        self.report(report).await?;
        Ok(())
    }

    /// Plans no more checks when nothing is open.
    async fn rest(&self, id: PaymentId) -> Result<(), AppError> {
        let payment = self.read(id).await?.payment;
        if is_open(&payment) {
            return Ok(());
        }
        let rest = || async {
            let mut tx = self.db.begin().await?;
            payments::rest(&mut tx, id, payment.version).await?;
            tx.commit().await?;
            Ok::<_, AppError>(())
        };
        self.db.retry(rest).await
    }

    /// Checks a payment about which something is open.
    pub async fn refresh(&self, id: PaymentId) -> Result<(), AppError> {
        let payment = self.read(id).await?.payment;
        if !is_open(&payment) {
            return Ok(());
        }
        match self.check(id).await {
            // Then it is shown as far as it is known.
            Err(AppError::OutcomeUnknown | AppError::ProviderUnavailable(_)) => Ok(()),
            other => other,
        }
    }
}

/// The provider holds money that nobody wants any more.
fn is_to_be_cancelled(payment: &Payment) -> bool {
    payment.state.is_dead()
        || payment.void_requested
            && matches!(payment.state, State::Authorized | State::RequiresAction)
}

fn is_open(payment: &Payment) -> bool {
    payment.state.is_open()
        || payment.capture_pending_minor > 0
        || payment.refund_pending_minor > 0
        || is_to_be_cancelled(payment) && !payment.state.is_dead()
}
