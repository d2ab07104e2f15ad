//! `ConfirmPayment`: goes on after the customer did what was required.

use database::Connection;
use idempotency::{Acted, Answer, Effect, Outcome, Request, Verb};
use std::time::Duration;
use types::PaymentId;
use uuid::Uuid;

use super::ask::not_known;
use super::at_work::LEASE;
use super::create_payment::refusal;
use super::error::{check_etag, no_payment};
use super::settle::{Close, Report};
use super::{App, AppError, Begun, Reply, once};
use crate::domain::{Fact, IntentStatus, Payment, State};
use crate::store::payments::{self, Read};

pub(super) const METHOD: &str = "ConfirmPayment";

#[derive(Debug, Clone)]
pub struct Confirmation {
    pub payment: PaymentId,
    pub read_version: Option<i64>,
}

/// The answer: the payment is authorized, or still waits for the customer.
#[derive(Debug, Clone)]
pub struct Confirmed(pub Payment);

impl Confirmed {
    pub(super) fn answer(payment: &Payment) -> Result<Confirmed, AppError> {
        match payment.state {
            State::Created | State::Processing => Err(AppError::OutcomeUnknown),
            State::RequiresAction
            | State::Authorized
            | State::PartiallyCaptured
            | State::Captured => Ok(Confirmed(payment.clone())),
            State::Declined => Err(AppError::Declined {
                code: payment.decline_code.clone().unwrap_or_default(),
            }),
            State::Voided | State::Expired | State::Failed => {
                Err(payment.illegal("confirmed").into())
            }
        }
    }
}

impl App {
    pub async fn confirm_payment(
        &self,
        request: Request,
        confirmation: Confirmation,
    ) -> Result<Reply, AppError> {
        let id = confirmation.payment;
        let resource = match once(&self.db, &ConfirmPayment, request, confirmation).await? {
            Outcome::Replayed(saved) => return Ok(Reply::replay(saved)),
            Outcome::Fresh(Begun::Done(confirmed)) => return Ok(Reply::fresh(confirmed.saved())),
            Outcome::Fresh(Begun::GoesOn(resource)) => *resource,
            Outcome::Resumed { resource } => resource,
        };
        let close = Close::Confirm(resource);
        let confirm = async {
            match self.go_on(id, resource).await {
                Ok(()) => self.settle(id, Fact::Nothing, close).await,
                Err(AppError::OutcomeUnknown | AppError::ProviderUnavailable(_)) => {
                    self.leave_open(id, close).await
                }
                Err(error) => Err(error),
            }
        };
        self.at_work(close, confirm).await
    }

    /// Asks the provider how the payment stands, and confirms it where the
    /// provider waits for that.
    async fn go_on(&self, id: PaymentId, key: Uuid) -> Result<(), AppError> {
        let Read { payment, now } = self.read(id).await?;
        if !payment.state.is_open() {
            return Ok(());
        }
        let fact = self.ask(&payment, now).await?;
        let fact = match fact {
            Fact::Seen(intent) if intent.status == IntentStatus::ConfirmationRequired => {
                let key = key.to_string();
                match self.provider.confirm(&intent.reference, &key).await {
                    Ok(intent) => Fact::Seen(intent),
                    Err(error) => refusal(&error).ok_or_else(|| not_known(error))?,
                }
            }
            other => other,
        };
        self.report(Report::fresh(id, fact)).await?;
        Ok(())
    }
}

/// The first transaction: is there anything to go on with?
struct ConfirmPayment;

impl Verb for ConfirmPayment {
    type Input = Confirmation;
    type Output = Begun<Confirmed, Uuid>;
    type Error = AppError;

    async fn act(
        &self,
        tx: &mut Connection,
        inputs: &[&Confirmation],
    ) -> Result<Vec<Acted<Self>>, AppError> {
        let ids: Vec<PaymentId> = inputs.iter().map(|input| input.payment).collect();
        let locked = payments::lock(tx, &ids).await?;
        let begin = |input: &&Confirmation| {
            let payment = locked.payments.get(&input.payment);
            let payment = payment.ok_or_else(|| no_payment(input.payment))?;
            check_etag(payment, input.read_version)?;
            match payment.state.is_open() {
                true => {
                    let resource = Uuid::now_v7();
                    let output = Begun::GoesOn(Box::new(resource));
                    Ok(Effect::Started { output, resource })
                }
                false => Confirmed::answer(payment)
                    .map(|confirmed| Effect::Finished(Begun::Done(confirmed))),
            }
        };
        Ok(inputs.iter().map(begin).collect())
    }

    fn lease(&self) -> Duration {
        LEASE
    }
}
