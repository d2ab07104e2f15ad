//! `VoidPayment`: gives an authorization back, and makes sure that a late
//! creation finds the order voided.

use std::time::Duration;

use database::Connection;
use idempotency::{Acted, Answer, Effect, Outcome, Request, Verb};
use types::{OrderId, PaymentId};
use uuid::Uuid;

use super::at_work::LEASE;
use super::error::{check_etag, no_payment};
use super::settle::Close;
use super::{App, AppError, Begun, Reply, once};
use crate::domain::{Fact, NextCheck, Payment, State};
use crate::store::payments::Saving;
use crate::store::{order_tombstones, payments};

pub(super) const METHOD: &str = "VoidPayment";

#[derive(Debug, Clone)]
pub struct NewVoid {
    pub target: Target,
    pub reason: String,
    pub read_version: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Payment(PaymentId),
    /// To void: its live payment, and the order itself is marked as voided. To
    /// read: its latest payment.
    Order(OrderId),
}

/// The answer: no money is promised any more.
#[derive(Debug, Clone)]
pub struct Voided(pub Option<Payment>);

impl Voided {
    pub(super) fn answer(payment: &Payment) -> Result<Voided, AppError> {
        match payment.state {
            State::Created | State::Processing | State::RequiresAction | State::Authorized => {
                Err(AppError::OutcomeUnknown)
            }
            State::PartiallyCaptured | State::Captured => Err(payment.illegal("voided").into()),
            State::Voided | State::Declined | State::Expired | State::Failed => {
                Ok(Voided(Some(payment.clone())))
            }
        }
    }
}

/// A void that has been recorded and is to be carried out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pending {
    payment: PaymentId,
    resource: Uuid,
}

impl App {
    pub async fn void_payment(&self, request: Request, new: NewVoid) -> Result<Reply, AppError> {
        let target = new.target;
        let verb = VoidPayment {
            check_in: self.policy.abandoned_after(),
        };
        let pending = match once(&self.db, &verb, request, new).await? {
            Outcome::Replayed(saved) => return Ok(Reply::replay(saved)),
            Outcome::Fresh(Begun::Done(voided)) => return Ok(Reply::fresh(voided.saved())),
            Outcome::Fresh(Begun::GoesOn(pending)) => *pending,
            Outcome::Resumed { resource } => Pending {
                payment: self.payment_of(target).await?,
                resource,
            },
        };
        let close = Close::Void(pending.resource);
        let void = async {
            match self.check(pending.payment).await {
                Ok(()) => self.settle(pending.payment, Fact::Nothing, close).await,
                Err(AppError::OutcomeUnknown | AppError::ProviderUnavailable(_)) => {
                    self.leave_open(pending.payment, close).await
                }
                Err(error) => Err(error),
            }
        };
        self.at_work(close, void).await
    }

    async fn payment_of(&self, target: Target) -> Result<PaymentId, AppError> {
        match target {
            Target::Payment(id) => Ok(id),
            Target::Order(order) => {
                let mut conn = self.db.acquire().await?;
                let read = payments::live_of_order(&mut conn, order).await?;
                read.map(|read| read.payment.id)
                    .ok_or_else(|| no_payment(order))
            }
        }
    }
}

/// The first transaction: records the wish, and the tombstone of the order.
struct VoidPayment {
    check_in: Duration,
}

impl VoidPayment {
    async fn begin(&self, tx: &mut Connection, new: &NewVoid) -> Result<Acted<Self>, AppError> {
        let id = match new.target {
            Target::Payment(id) => Some(id),
            Target::Order(order) => {
                order_tombstones::lock_orders(tx, &[order]).await?;
                let latest = payments::live_of_order(tx, order).await?;
                latest.map(|read| read.payment.id)
            }
        };
        let begun = match id {
            None => Ok((None, Effect::Finished(Begun::Done(Voided(None))))),
            Some(id) => {
                let mut locked = payments::lock(tx, &[id]).await?;
                let payment = locked.payments.remove(&id).ok_or_else(|| no_payment(id));
                let now = locked.now;
                payment.and_then(|payment| request(payment, new, now))
            }
        };
        let (changed, effect) = match begun {
            Ok(begun) => begun,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Target::Order(order) = new.target
            && !failpoint::planted!("no-tombstone")
        {
            order_tombstones::insert(tx, order, &new.reason).await?;
        }
        if let Some(payment) = &changed {
            let row = Saving {
                payment,
                next_check: NextCheck::Later,
            };
            payments::save(tx, &[row], self.check_in).await?;
        }
        Ok(Ok(effect))
    }
}

type Begins = (Option<Payment>, Effect<Begun<Voided, Pending>>);

/// The payment to be written, if it changes, and what is to be done.
fn request(
    mut payment: Payment,
    new: &NewVoid,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Begins, AppError> {
    check_etag(&payment, new.read_version)?;
    let was_requested = payment.void_requested;
    if !payment.request_void()? {
        return Ok((None, Effect::Finished(Begun::Done(Voided(Some(payment))))));
    }
    let resource = Uuid::now_v7();
    let pending = Pending {
        payment: payment.id,
        resource,
    };
    if !was_requested {
        payment.version += 1;
        payment.updated_at = now;
    }
    let output = Begun::GoesOn(Box::new(pending));
    let effect = Effect::Started { output, resource };
    Ok(((!was_requested).then_some(payment), effect))
}

impl Verb for VoidPayment {
    type Input = NewVoid;
    type Output = Begun<Voided, Pending>;
    type Error = AppError;

    async fn act(
        &self,
        tx: &mut Connection,
        inputs: &[&NewVoid],
    ) -> Result<Vec<Acted<Self>>, AppError> {
        let mut acted = Vec::with_capacity(inputs.len());
        for new in inputs {
            acted.push(self.begin(tx, new).await?);
        }
        Ok(acted)
    }

    fn lease(&self) -> Duration {
        LEASE
    }
}
