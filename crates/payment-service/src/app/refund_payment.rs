//! `RefundPayment`: gives captured money back.

use std::time::Duration;

use database::Connection;
use idempotency::{Acted, Answer, Effect, Outcome, Request, Verb};
use types::{Money, PaymentId, RefundId};

use super::ask::{KEYS_KEPT, NEVER_REACHED_PROVIDER, not_known};
use super::at_work::LEASE;
use super::error::{check_etag, no_payment};
use super::settle::{Close, Report};
use super::{App, AppError, Begun, Policy, Reply};
use crate::domain::{Account, Fact, NextCheck, Payment, Refund, RefundSeen, TransferState};
use crate::provider::ProviderError;
use crate::store::payments::{Locked, Read, Saving};
use crate::store::{payments, refunds};

pub(super) const METHOD: &str = "RefundPayment";

#[derive(Debug, Clone)]
pub struct NewRefund {
    /// The key's: under it the provider has the refund as well, and so it is
    /// known again after a restore.
    pub id: RefundId,
    pub payment: PaymentId,
    /// `None`: all that is left.
    pub amount: Option<Money>,
    pub reason: String,
    pub read_version: Option<i64>,
}

/// The answer: the money was given back, or is on its way.
#[derive(Debug, Clone)]
pub struct RefundMade {
    pub payment: Payment,
    pub refund: Refund,
}

impl RefundMade {
    pub(super) fn answer(account: &Account, id: RefundId) -> Result<RefundMade, AppError> {
        let found = account.refunds.iter().find(|refund| refund.id == id);
        let refund = found.ok_or(AppError::Bug("an answer for a refund not locked"))?;
        let is_known = refund.provider_reference.is_some();
        match refund.state {
            TransferState::Pending if !is_known => Err(AppError::OutcomeUnknown),
            TransferState::Pending | TransferState::Succeeded => Ok(RefundMade {
                payment: account.payment.clone(),
                refund: refund.clone(),
            }),
            TransferState::Failed => Err(AppError::RefundRefused {
                code: refund.failure_code.clone().unwrap_or_default(),
            }),
        }
    }
}

impl App {
    pub async fn refund_payment(
        &self,
        request: Request,
        new: NewRefund,
    ) -> Result<Reply, AppError> {
        let payment = new.payment;
        let call = idempotency::Call {
            request,
            input: new,
        };
        match self.refunds.call(call).await?? {
            Outcome::Replayed(saved) => Ok(Reply::replay(saved)),
            Outcome::Fresh(Begun::Done(made)) => Ok(Reply::fresh(made.saved())),
            Outcome::Fresh(Begun::GoesOn(made)) => {
                let close = Close::Refund(made.refund.id);
                let refund = async {
                    match self.try_refund(&made.payment, &made.refund).await {
                        Ok(fact) => self.settle(made.payment.id, fact, close).await,
                        Err(error) => self.unknown(&error, &made.payment, close).await,
                    }
                };
                self.at_work(close, refund).await
            }
            Outcome::Resumed { resource } => {
                let id = resource.into();
                self.at_work(Close::Refund(id), self.resume_refund(payment, id))
                    .await
            }
        }
    }

    async fn resume_refund(&self, payment: PaymentId, id: RefundId) -> Result<Reply, AppError> {
        let close = Close::Refund(id);
        match self.find_out_refund(payment, id).await {
            Ok(()) => self.settle(payment, Fact::Nothing, close).await,
            Err(AppError::OutcomeUnknown | AppError::ProviderUnavailable(_)) => {
                self.leave_open(payment, close).await
            }
            Err(error) => Err(error),
        }
    }

    /// Asks about a refund that is pending.
    pub(super) async fn find_out_refund(
        &self,
        payment: PaymentId,
        id: RefundId,
    ) -> Result<(), AppError> {
        let Read { payment, now } = self.read(payment).await?;
        let found = {
            let mut conn = self.db.acquire().await?;
            refunds::get(&mut conn, id).await?
        };
        let pending = |refund: &Refund| refund.state == TransferState::Pending;
        let Some(refund) = found.filter(pending) else {
            return Ok(());
        };
        let fact = match &refund.provider_reference {
            Some(reference) => {
                let seen = self.provider.retrieve_refund(reference, &refund).await;
                seen.map(Fact::Refund)
            }
            None if now - refund.created_at > KEYS_KEPT => {
                self.look_for_refund(&payment, &refund).await
            }
            None => self.try_refund(&payment, &refund).await,
        };
        let fact = fact.map_err(not_known)?;
        self.report(Report::fresh(payment.id, fact)).await?;
        Ok(())
    }

    /// For when the key has been forgotten: is there such a refund?
    async fn look_for_refund(
        &self,
        payment: &Payment,
        refund: &Refund,
    ) -> Result<Fact, ProviderError> {
        let reference = payment.provider_reference.as_deref();
        let reference = reference.ok_or(ProviderError::NotFound)?;
        let all = self.provider.refunds(reference).await?;
        let found = all.iter().find(|seen| seen.refund_id() == Some(refund.id));
        Ok(match found {
            Some(seen) => Fact::Refund(seen.seen(refund.id)),
            None => refused(refund.id, NEVER_REACHED_PROVIDER),
        })
    }

    /// What the provider says to a refund; an error leaves it open.
    async fn try_refund(&self, payment: &Payment, refund: &Refund) -> Result<Fact, ProviderError> {
        let Some(reference) = &payment.provider_reference else {
            return Err(ProviderError::NotFound);
        };
        let asked = self.provider.refund(reference, refund);
        match failpoint::around!("payment.refund", "call", asked.await) {
            Ok(seen) => Ok(Fact::Refund(seen)),
            Err(ProviderError::Refused { code, message }) => {
                tracing::warn!(payment.id = %payment.id, code, error = message, "a refund was refused");
                Ok(refused(refund.id, &code))
            }
            Err(ProviderError::Declined { code, .. }) => Ok(refused(refund.id, &code)),
            Err(error) => Err(error),
        }
    }
}

fn refused(refund: RefundId, code: &str) -> Fact {
    Fact::Refund(RefundSeen {
        refund,
        reference: None,
        state: TransferState::Failed,
        failure_code: Some(code.to_owned()),
    })
}

/// The first transaction: sets the money aside.
#[derive(Debug, Clone)]
pub(super) struct RefundPayment {
    check_in: Duration,
}

impl RefundPayment {
    pub(super) fn new(policy: &Policy) -> Self {
        Self {
            check_in: policy.abandoned_after(),
        }
    }
}

impl Verb for RefundPayment {
    type Input = NewRefund;
    type Output = Begun<RefundMade, RefundMade>;
    type Error = AppError;

    async fn act(
        &self,
        tx: &mut Connection,
        inputs: &[&NewRefund],
    ) -> Result<Vec<Acted<Self>>, AppError> {
        let ids: Vec<PaymentId> = inputs.iter().map(|new| new.payment).collect();
        let mut locked = match failpoint::planted!("no-row-lock-on-refund") {
            true => payments::look(tx, &ids).await?,
            false => payments::lock(tx, &ids).await?,
        };
        let ids: Vec<RefundId> = inputs.iter().map(|new| new.id).collect();
        let known = refunds::open(tx, &[], &ids).await?;
        let mut fresh: Vec<Refund> = Vec::new();
        let mut acted = Vec::with_capacity(inputs.len());
        for new in inputs {
            if let Some(made) = made_before(&locked, &known, new) {
                acted.push(Ok(again(made)));
                continue;
            }
            let begun = begin(&mut locked, new, &known);
            fresh.extend(begun.iter().map(|made| made.refund.clone()));
            acted.push(begun.map(|made| Effect::Started {
                resource: made.refund.id.as_uuid(),
                output: Begun::GoesOn(Box::new(made)),
            }));
        }
        if !fresh.is_empty() {
            let rows = changed(&locked, &fresh);
            payments::save(tx, &rows, self.check_in).await?;
            refunds::insert(tx, &fresh).await?;
        }
        Ok(acted)
    }

    fn lease(&self) -> Duration {
        LEASE
    }
}

/// The same refund, made under a key that these books have forgotten.
fn made_before(locked: &Locked, known: &[Refund], new: &NewRefund) -> Option<RefundMade> {
    let payment = locked.payments.get(&new.payment)?;
    let refund = known.iter().find(|refund| {
        let asked = new.amount.is_none_or(|amount| amount == refund.amount());
        let stands = refund.state != TransferState::Failed;
        refund.id == new.id && refund.payment_id == new.payment && asked && stands
    })?;
    Some(RefundMade {
        payment: payment.clone(),
        refund: refund.clone(),
    })
}

fn again(made: RefundMade) -> Effect<Begun<RefundMade, RefundMade>> {
    let is_unknown = made.refund.provider_reference.is_none();
    match made.refund.state {
        TransferState::Pending if is_unknown => Effect::Started {
            resource: made.refund.id.as_uuid(),
            output: Begun::GoesOn(Box::new(made)),
        },
        _ => Effect::Finished(Begun::Done(made)),
    }
}

fn begin(locked: &mut Locked, new: &NewRefund, known: &[Refund]) -> Result<RefundMade, AppError> {
    let now = locked.now;
    let payment = locked.payments.get_mut(&new.payment);
    let payment = payment.ok_or_else(|| no_payment(new.payment))?;
    check_etag(payment, new.read_version)?;
    let amount_minor = payment.begin_refund(new.amount)?;
    payment.version += 1;
    payment.updated_at = now;
    let refund = Refund {
        id: match known.iter().any(|refund| refund.id == new.id) {
            true => RefundId::generate(),
            false => new.id,
        },
        payment_id: payment.id,
        order_id: payment.order_id,
        amount_minor,
        currency: payment.currency,
        state: TransferState::Pending,
        reason: new.reason.clone(),
        provider_reference: None,
        failure_code: None,
        version: 1,
        created_at: now,
    };
    Ok(RefundMade {
        payment: payment.clone(),
        refund,
    })
}

/// The payments of new refunds, to be checked should their callers die.
fn changed<'a>(locked: &'a Locked, fresh: &[Refund]) -> Vec<Saving<'a>> {
    let payments = locked.payments.values();
    payments
        .filter(|payment| fresh.iter().any(|refund| refund.payment_id == payment.id))
        .map(|payment| Saving {
            payment,
            next_check: NextCheck::Later,
        })
        .collect()
}
