//! `CapturePayment`: takes authorized money.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use database::Connection;
use idempotency::{Acted, Answer, Effect, Outcome, Request, Verb};
use tracing::Span;
use types::{CaptureId, Money, PaymentId};

use super::ask::{KEYS_KEPT, NEVER_REACHED_PROVIDER, not_known};
use super::at_work::LEASE;
use super::error::{check_etag, no_payment};
use super::settle::{Close, Report};
use super::{App, AppError, Begun, Policy, Reply, name_in};
use crate::domain::{Account, Capture, Fact, NextCheck, Payment, State, TransferState};
use crate::provider::ProviderError;
use crate::store::payments::{Locked, Read, Saving};
use crate::store::{captures, payments};

pub(super) const METHOD: &str = "CapturePayment";

/// The provider's word for an authorization that has run out.
const EXPIRED: &str = "charge_expired_for_capture";

#[derive(Debug, Clone)]
pub struct NewCapture {
    pub payment: PaymentId,
    /// `None`: all that is left.
    pub amount: Option<Money>,
    /// The rest is given back.
    pub last: bool,
    pub read_version: Option<i64>,
}

/// The answer: the money was taken.
#[derive(Debug, Clone)]
pub struct CaptureMade {
    pub payment: Payment,
    pub capture: Capture,
}

impl CaptureMade {
    pub(super) fn answer(account: &Account, id: CaptureId) -> Result<CaptureMade, AppError> {
        let mut captures = account.captures.iter();
        let capture = captures.find(|capture| capture.id == id);
        let capture = capture.ok_or(AppError::Bug("an answer for a capture not locked"))?;
        match capture.state {
            TransferState::Pending => Err(AppError::OutcomeUnknown),
            TransferState::Succeeded => Ok(CaptureMade {
                payment: account.payment.clone(),
                capture: capture.clone(),
            }),
            TransferState::Failed => Err(AppError::CaptureRefused {
                code: capture.failure_code.clone().unwrap_or_default(),
            }),
        }
    }
}

impl App {
    pub async fn capture_payment(
        &self,
        request: Request,
        new: NewCapture,
    ) -> Result<Reply, AppError> {
        let payment = new.payment;
        let call = idempotency::Call {
            request,
            input: new,
        };
        match self.captures.call(call).await?? {
            Outcome::Replayed(saved) => Ok(Reply::replay(saved)),
            Outcome::Fresh(Begun::Done(made)) => Ok(Reply::fresh(made.saved())),
            Outcome::Fresh(Begun::GoesOn(made)) => {
                let close = Close::Capture(made.capture.id);
                name_in(&Span::current(), &made.payment);
                let capture = async {
                    match self.try_capture(&made.payment, &made.capture).await {
                        Ok(fact) => self.settle(made.payment.id, fact, close).await,
                        Err(error) => self.unknown(&error, &made.payment, close).await,
                    }
                };
                self.at_work(close, capture).await
            }
            Outcome::Resumed { resource } => {
                let id = resource.into();
                self.at_work(Close::Capture(id), self.resume_capture(payment, id))
                    .await
            }
        }
    }

    async fn resume_capture(&self, payment: PaymentId, id: CaptureId) -> Result<Reply, AppError> {
        let close = Close::Capture(id);
        match self.find_out_capture(payment, id).await {
            Ok(()) => self.settle(payment, Fact::Nothing, close).await,
            Err(AppError::OutcomeUnknown | AppError::ProviderUnavailable(_)) => {
                self.leave_open(payment, close).await
            }
            Err(error) => Err(error),
        }
    }

    /// Repeats a capture that is pending, under its key.
    pub(super) async fn find_out_capture(
        &self,
        payment: PaymentId,
        id: CaptureId,
    ) -> Result<(), AppError> {
        let Read { payment, now } = self.read(payment).await?;
        let found = {
            let mut conn = self.db.acquire().await?;
            captures::open(&mut conn, &[], &[id]).await?
        };
        for capture in found {
            if capture.state == TransferState::Pending {
                let fact = match now - capture.created_at > KEYS_KEPT {
                    true => self.look_for_capture(&payment, &capture).await,
                    false => self.try_capture(&payment, &capture).await,
                };
                let fact = fact.map_err(not_known)?;
                self.report(Report::fresh(payment.id, fact)).await?;
            }
        }
        Ok(())
    }

    /// For when the key has been forgotten: was the money taken?
    async fn look_for_capture(
        &self,
        payment: &Payment,
        capture: &Capture,
    ) -> Result<Fact, ProviderError> {
        let reference = payment.provider_reference.as_deref();
        let reference = reference.ok_or(ProviderError::NotFound)?;
        let intent = self.provider.retrieve(reference).await?;
        match intent.received_minor == payment.captured_minor {
            true => Ok(Fact::CaptureRefused {
                capture: capture.id,
                code: NEVER_REACHED_PROVIDER.to_owned(),
                gone: false,
            }),
            false => Ok(Fact::Seen(intent)),
        }
    }

    /// What the provider says to a capture; an error leaves it open.
    async fn try_capture(
        &self,
        payment: &Payment,
        capture: &Capture,
    ) -> Result<Fact, ProviderError> {
        let Some(reference) = &payment.provider_reference else {
            return Err(ProviderError::NotFound);
        };
        let asked = self.provider.capture(reference, capture);
        match failpoint::around!("payment.capture", "call", asked.await) {
            Ok(_) => Ok(Fact::Captured(capture.id)),
            Err(ProviderError::Refused { code, message }) => {
                tracing::warn!(payment.id = %payment.id, code, error = message, "a capture was refused");
                let gone = code == EXPIRED;
                Ok(Fact::CaptureRefused {
                    capture: capture.id,
                    code,
                    gone,
                })
            }
            Err(ProviderError::Declined { code, .. }) => Ok(Fact::CaptureRefused {
                capture: capture.id,
                code,
                gone: false,
            }),
            Err(error) => Err(error),
        }
    }
}

/// The first transaction: sets the money aside.
#[derive(Debug, Clone)]
pub(super) struct CapturePayment {
    check_in: Duration,
}

impl CapturePayment {
    pub(super) fn new(policy: &Policy) -> Self {
        Self {
            check_in: policy.abandoned_after(),
        }
    }
}

impl Verb for CapturePayment {
    type Input = NewCapture;
    type Output = Begun<CaptureMade, CaptureMade>;
    type Error = AppError;

    async fn act(
        &self,
        tx: &mut Connection,
        inputs: &[&NewCapture],
    ) -> Result<Vec<Acted<Self>>, AppError> {
        let ids: Vec<PaymentId> = inputs.iter().map(|new| new.payment).collect();
        let mut locked = payments::lock(tx, &ids).await?;
        let made = captured_before(tx, &locked, inputs).await?;
        let mut fresh: Vec<Capture> = Vec::new();
        let mut acted = Vec::with_capacity(inputs.len());
        for new in inputs {
            acted.push(begin(&mut locked, &made, new).inspect(|effect| {
                if let Effect::Started {
                    output: Begun::GoesOn(begun),
                    ..
                } = effect
                {
                    fresh.push(begun.capture.clone());
                }
            }));
        }
        if !fresh.is_empty() {
            let rows: Vec<Saving<'_>> = changed(&locked, &fresh);
            payments::save(tx, &rows, self.check_in).await?;
            captures::insert(tx, &fresh).await?;
        }
        Ok(acted)
    }

    fn lease(&self) -> Duration {
        LEASE
    }
}

fn begin(
    locked: &mut Locked,
    made: &HashMap<PaymentId, Capture>,
    new: &NewCapture,
) -> Acted<CapturePayment> {
    let now = locked.now;
    let payment = locked.payments.get_mut(&new.payment);
    let payment = payment.ok_or_else(|| no_payment(new.payment))?;
    check_etag(payment, new.read_version)?;
    // All is taken already, which is what was asked for.
    if let (State::Captured, None, Some(capture)) =
        (payment.state, new.amount, made.get(&payment.id))
    {
        return Ok(Effect::Finished(Begun::Done(CaptureMade {
            payment: payment.clone(),
            capture: capture.clone(),
        })));
    }
    let amount_minor = payment.begin_capture(new.amount)?;
    // The same question must be asked again later, so it is fixed here: nothing
    // is left after this capture, and no other one is on its way.
    let all = payment.captured_minor + amount_minor == payment.authorized_minor;
    let capture = new_capture(payment, amount_minor, new.last || all, now);
    payment.version += 1;
    payment.updated_at = now;
    Ok(Effect::Started {
        resource: capture.id.as_uuid(),
        output: Begun::GoesOn(Box::new(CaptureMade {
            payment: payment.clone(),
            capture,
        })),
    })
}

fn new_capture(
    payment: &Payment,
    amount_minor: i64,
    last: bool,
    created_at: DateTime<Utc>,
) -> Capture {
    Capture {
        id: CaptureId::generate(),
        payment_id: payment.id,
        amount_minor,
        state: TransferState::Pending,
        last,
        failure_code: None,
        created_at,
    }
}

/// The last capture of each payment that is captured already.
async fn captured_before(
    tx: &mut Connection,
    locked: &Locked,
    inputs: &[&NewCapture],
) -> Result<HashMap<PaymentId, Capture>, AppError> {
    let all = inputs.iter().filter(|new| new.amount.is_none());
    let asked: Vec<PaymentId> = all
        .filter_map(|new| locked.payments.get(&new.payment))
        .filter(|payment| payment.state == State::Captured)
        .map(|payment| payment.id)
        .collect();
    if asked.is_empty() {
        return Ok(HashMap::new());
    }
    let made = captures::of_payments(tx, &asked).await?;
    let made = made
        .into_iter()
        .filter(|capture| capture.state == TransferState::Succeeded);
    Ok(made.map(|capture| (capture.payment_id, capture)).collect())
}

/// The payments of new captures, to be checked should their callers die.
fn changed<'a>(locked: &'a Locked, fresh: &[Capture]) -> Vec<Saving<'a>> {
    let payments = locked.payments.values();
    payments
        .filter(|payment| fresh.iter().any(|capture| capture.payment_id == payment.id))
        .map(|payment| Saving {
            payment,
            next_check: NextCheck::Later,
        })
        .collect()
}
