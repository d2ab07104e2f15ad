//! Finding out what became of a payment: the provider is asked, never guessed.

use chrono::{DateTime, TimeDelta, Utc};
use types::PaymentId;

use super::create_payment::refusal;
use super::error::no_payment;
use super::settle::Report;
use super::{App, AppError};
use crate::domain::{Fact, Intent, Payment};
use crate::provider::ProviderError;
use crate::store::payments::{self, Read};

/// Providers keep keys for at least 24 hours; after that a repeat would be a
/// second payment.
pub(super) const KEYS_KEPT: TimeDelta = TimeDelta::hours(20);
pub(super) const NEVER_REACHED_PROVIDER: &str = "never_reached_provider";
/// From then on the provider's list is looked through besides: a request that
/// failed for good with the provider fails again under its key.
const LOOK_THROUGH_LIST: TimeDelta = TimeDelta::minutes(15);
/// How far the clocks of provider and database may be apart.
const CLOCKS_APART_S: i64 = 300;

impl App {
    pub(super) async fn read(&self, id: PaymentId) -> Result<Read, AppError> {
        let mut conn = self.db.acquire().await?;
        let found = payments::get(&mut conn, id).await?;
        found.ok_or_else(|| no_payment(id))
    }

    /// Asks the provider how a payment stands, if that may have changed without
    /// us, and makes it true.
    pub(super) async fn find_out(&self, id: PaymentId) -> Result<(), AppError> {
        let Read { payment, now } = self.read(id).await?;
        if payment.state.is_open() {
            let fact = self.ask(&payment, now).await?;
            self.report(Report::fresh(id, fact)).await?;
        }
        Ok(())
    }

    /// How the provider has the payment now.
    pub(super) async fn ask(
        &self,
        payment: &Payment,
        now: DateTime<Utc>,
    ) -> Result<Fact, AppError> {
        let reference = match &payment.provider_reference {
            Some(reference) => reference.clone(),
            None => match self.ask_by_key(payment, now).await? {
                Fact::Seen(intent) => intent.reference,
                other => return Ok(other),
            },
        };
        match self.provider.retrieve(&reference).await {
            Ok(intent) => Ok(Fact::Seen(intent)),
            Err(error) => Err(not_known(error)),
        }
    }

    /// Repeats the creation under its key, which makes the payment if it never
    /// got there, and else tells how it was at first.
    async fn ask_by_key(&self, payment: &Payment, now: DateTime<Utc>) -> Result<Fact, AppError> {
        let age = now - payment.created_at;
        if age > KEYS_KEPT {
            let found = self.look_through_list(payment).await?;
            return Ok(found.map_or(Fact::Absent, Fact::Seen));
        }
        let asked = self.provider.create(payment);
        let error = match failpoint::around!("payment.ask", "call", asked.await) {
            Ok(intent) => return Ok(Fact::Seen(intent)),
            Err(error) => error,
        };
        if let Some(fact) = refusal(&error) {
            return Ok(fact);
        }
        if age > LOOK_THROUGH_LIST
            && let Some(intent) = self.look_through_list(payment).await?
        {
            return Ok(Fact::Seen(intent));
        }
        Err(not_known(error))
    }

    async fn look_through_list(&self, payment: &Payment) -> Result<Option<Intent>, AppError> {
        let from = payment.created_at.timestamp() - CLOCKS_APART_S;
        let found = self.provider.find(payment.id, from).await;
        found.map_err(not_known)
    }
}

/// What a question without an answer means: the outcome is as open as before.
pub(super) fn not_known(error: ProviderError) -> AppError {
    match error {
        ProviderError::Unavailable(why) => AppError::ProviderUnavailable(why),
        ProviderError::Declined { .. }
        | ProviderError::Refused { .. }
        | ProviderError::NotFound
        | ProviderError::Unknown(_) => {
            tracing::warn!(%error, "the provider did not tell");
            AppError::OutcomeUnknown
        }
    }
}
