//! `CreatePayment`: authorizes an amount for one attempt of an order.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use database::Connection;
use idempotency::{Acted, Answer, Effect, Outcome, Request, Verb};
use tracing::Span;
use types::{OrderId, PaymentId};

use super::at_work::LEASE;
use super::settle::Close;
use super::{App, AppError, Begun, Policy, Reply, name_in};
use crate::domain::{Fact, NewPayment, Payment, State};
use crate::metrics;
use crate::provider::ProviderError;
use crate::store::{order_tombstones, payments};

pub(super) const METHOD: &str = "CreatePayment";

/// The answer: the payment is authorized, or waits for the customer.
#[derive(Debug, Clone)]
pub struct Created(pub Payment);

impl Created {
    pub(super) fn answer(payment: &Payment) -> Result<Created, AppError> {
        let code = || payment.decline_code.clone().unwrap_or_default();
        match payment.state {
            State::Created | State::Processing => Err(AppError::OutcomeUnknown),
            _ if payment.void_requested => Err(AppError::PaymentVoided(payment.order_id)),
            State::RequiresAction
            | State::Authorized
            | State::PartiallyCaptured
            | State::Captured => Ok(Created(payment.clone())),
            State::Declined | State::Failed => Err(AppError::Declined { code: code() }),
            State::Voided | State::Expired => Err(AppError::PaymentVoided(payment.order_id)),
        }
    }
}

impl App {
    pub async fn create_payment(
        &self,
        request: Request,
        new: NewPayment,
    ) -> Result<Reply, AppError> {
        let traceparent = telemetry::propagation::current_traceparent();
        let call = idempotency::Call {
            request,
            input: NewPayment { traceparent, ..new },
        };
        match self.creations.call(call).await?? {
            Outcome::Replayed(saved) => Ok(Reply::replay(saved)),
            Outcome::Fresh(Begun::Done(created)) => Ok(Reply::fresh(created.saved())),
            Outcome::Fresh(Begun::GoesOn(payment)) => {
                metrics::begun();
                name_in(&Span::current(), &payment);
                let close = Close::Create(payment.id);
                self.at_work(close, self.authorize(&payment)).await
            }
            Outcome::Resumed { resource } => {
                let id = resource.into();
                self.at_work(Close::Create(id), self.resume_creation(id))
                    .await
            }
        }
    }

    /// Asks the provider for the first time.
    async fn authorize(&self, payment: &Payment) -> Result<Reply, AppError> {
        let close = Close::Create(payment.id);
        let asked = self.provider.create(payment);
        match failpoint::around!("payment.authorize", "call", asked.await) {
            Ok(intent) => self.settle(payment.id, Fact::Seen(intent), close).await,
            Err(error) => match refusal(&error) {
                Some(fact) => self.settle(payment.id, fact, close).await,
                None => self.unknown(&error, payment, close).await,
            },
        }
    }

    /// Goes on where an earlier call with the same key stopped.
    async fn resume_creation(&self, id: PaymentId) -> Result<Reply, AppError> {
        let close = Close::Create(id);
        match self.find_out(id).await {
            Ok(()) => self.settle(id, Fact::Nothing, close).await,
            Err(AppError::OutcomeUnknown | AppError::ProviderUnavailable(_)) => {
                self.leave_open(id, close).await
            }
            Err(error) => Err(error),
        }
    }
}

/// What a failed creation says about the payment; `None`: nothing for sure.
pub(super) fn refusal(error: &ProviderError) -> Option<Fact> {
    match error {
        ProviderError::Declined {
            intent: Some(intent),
            ..
        } => Some(Fact::Seen(intent.clone())),
        ProviderError::Declined { code, intent: None } => {
            Some(Fact::Refused { code: code.clone() })
        }
        ProviderError::Refused { code, message } => {
            tracing::warn!(
                code,
                error = message,
                "the provider refused to make an intent"
            );
            Some(Fact::Refused { code: code.clone() })
        }
        ProviderError::NotFound | ProviderError::Unknown(_) | ProviderError::Unavailable(_) => None,
    }
}

/// The first transaction: records the attempt, about to be sent.
#[derive(Debug, Clone)]
pub(super) struct CreatePayment {
    check_in: Duration,
}

impl CreatePayment {
    pub(super) fn new(policy: &Policy) -> Self {
        Self {
            check_in: policy.abandoned_after(),
        }
    }
}

impl Verb for CreatePayment {
    type Input = NewPayment;
    type Output = Begun<Created, Payment>;
    type Error = AppError;

    async fn act(
        &self,
        tx: &mut Connection,
        inputs: &[&NewPayment],
    ) -> Result<Vec<Acted<Self>>, AppError> {
        let orders: Vec<OrderId> = inputs.iter().map(|new| new.order_id).collect();
        order_tombstones::lock_orders(tx, &orders).await?;
        let voided = order_tombstones::among(tx, &orders).await?;
        let known = payments::of_orders(tx, &orders).await?;
        let mut attempts = Attempts::new(voided, known);
        let judged: Vec<_> = inputs.iter().map(|new| attempts.judge(new)).collect();
        let written = payments::insert(tx, &attempts.fresh(), self.check_in).await?;
        let finish = |judged| match judged {
            Judged::Fresh(mut payment) => match written.get(&payment.id) {
                Some(created_at) => {
                    payment.created_at = *created_at;
                    payment.updated_at = *created_at;
                    let resource = payment.id.as_uuid();
                    let output = Begun::GoesOn(payment);
                    Ok(Effect::Started { output, resource })
                }
                None => Err(AppError::PaymentExists(payment.order_id)),
            },
            Judged::Known(payment) => {
                Created::answer(&payment).map(|created| Effect::Finished(Begun::Done(created)))
            }
            Judged::Refused(error) => Err(error),
        };
        Ok(judged.into_iter().map(finish).collect())
    }

    fn lease(&self) -> Duration {
        LEASE
    }
}

enum Judged {
    Fresh(Box<Payment>),
    /// The same attempt, made under another key.
    Known(Box<Payment>),
    Refused(AppError),
}

/// What is known of the orders of a batch, under their locks.
struct Attempts {
    voided: HashSet<OrderId>,
    of_order: HashMap<OrderId, Vec<Payment>>,
    fresh: Vec<Payment>,
}

impl Attempts {
    fn new(voided: HashSet<OrderId>, known: Vec<Payment>) -> Self {
        let mut of_order: HashMap<OrderId, Vec<Payment>> = HashMap::new();
        for payment in known {
            of_order.entry(payment.order_id).or_default().push(payment);
        }
        Self {
            voided,
            of_order,
            fresh: Vec::new(),
        }
    }

    fn judge(&mut self, new: &NewPayment) -> Judged {
        let order = new.order_id;
        let known = self.of_order.entry(order).or_default();
        if let Some(same) = known.iter().find(|payment| payment.attempt == new.attempt) {
            return match same.is_for(new) {
                true => Judged::Known(Box::new(same.clone())),
                false => Judged::Refused(AppError::PaymentExists(order)),
            };
        }
        if self.voided.contains(&order) {
            return Judged::Refused(AppError::PaymentVoided(order));
        }
        if known.iter().any(|payment| !payment.state.is_dead()) {
            return Judged::Refused(AppError::PaymentExists(order));
        }
        let payment = Payment::begin(new);
        known.push(payment.clone());
        self.fresh.push(payment.clone());
        Judged::Fresh(Box::new(payment))
    }

    fn fresh(&self) -> Vec<&Payment> {
        self.fresh.iter().collect()
    }
}
