//! One attempt to be paid for one order, and what may be asked of it.

use chrono::{DateTime, Utc};
use types::{Currency, Money, OrderId, PaymentId};

use super::State;

/// The provider takes no more in one payment.
pub const AMOUNT_MINOR_MAX: i64 = 99_999_999_999;
pub const ATTEMPT_MAX: i32 = 100;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPayment {
    pub order_id: OrderId,
    pub attempt: i32,
    pub amount: Money,
    /// A token of the provider.
    pub payment_method: String,
    /// The trace in which it is asked for.
    pub traceparent: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub id: PaymentId,
    pub order_id: OrderId,
    pub attempt: i32,
    pub state: State,
    pub currency: Currency,
    pub amount_minor: i64,
    /// What is promised; 0 again once the promise is gone.
    pub authorized_minor: i64,
    pub captured_minor: i64,
    pub capture_pending_minor: i64,
    pub refunded_minor: i64,
    pub refund_pending_minor: i64,
    pub payment_method: String,
    /// The provider's idempotency key of the creation.
    pub provider_key: String,
    pub provider_reference: Option<String>,
    pub action_url: Option<String>,
    pub decline_code: Option<String>,
    /// The trace in which it was begun, which is the order's: what is done for
    /// it later goes on there.
    pub traceparent: Option<String>,
    /// To be voided as soon as that can be done.
    pub void_requested: bool,
    pub version: i64,
    /// Number of the last event told about it.
    pub event_count: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Why a payment does not do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("a payment that is {} cannot be {verb}", state.name())]
    IllegalTransition { state: State, verb: &'static str },
    #[error("the payment is in {expected}, not in {got}")]
    CurrencyMismatch { expected: Currency, got: Currency },
    #[error("at most {left} can still be captured")]
    CaptureExceedsAuthorized { left: Money },
    #[error("at most {left} can still be refunded")]
    RefundExceedsCaptured { left: Money },
    /// Another change of this payment is under way.
    #[error("another change of the payment is under way")]
    Busy,
    /// Find out first what became of the payment.
    #[error("the provider's answer about the payment is not known yet")]
    OutcomeUnknown,
}

impl Payment {
    /// A new attempt, about to be sent.
    pub fn begin(new: &NewPayment) -> Payment {
        let id = PaymentId::generate();
        Payment {
            id,
            order_id: new.order_id,
            attempt: new.attempt,
            state: State::Processing,
            currency: new.amount.currency(),
            amount_minor: new.amount.minor(),
            authorized_minor: 0,
            captured_minor: 0,
            capture_pending_minor: 0,
            refunded_minor: 0,
            refund_pending_minor: 0,
            payment_method: new.payment_method.clone(),
            provider_key: id.to_string(),
            provider_reference: None,
            action_url: None,
            decline_code: None,
            traceparent: new.traceparent.clone(),
            void_requested: false,
            version: 1,
            event_count: 0,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    pub fn amount(&self) -> Money {
        self.money(self.amount_minor)
    }

    pub fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }

    /// Whether `new` asks for what this payment was made for.
    pub fn is_for(&self, new: &NewPayment) -> bool {
        self.order_id == new.order_id
            && self.attempt == new.attempt
            && self.amount() == new.amount
            && self.payment_method == new.payment_method
    }

    /// Sets money aside to be captured, all that is left when `amount` is
    /// absent, and gives how much.
    pub fn begin_capture(&mut self, amount: Option<Money>) -> Result<i64, Refused> {
        let asked_minor = self.in_own_currency(amount)?;
        if self.state.is_unknown() {
            return Err(Refused::OutcomeUnknown);
        }
        if self.void_requested && !self.state.is_dead() {
            return Err(Refused::Busy);
        }
        let left_minor = self.authorized_minor - self.captured_minor - self.capture_pending_minor;
        let exceeds = asked_minor.is_some_and(|asked_minor| asked_minor > left_minor);
        if exceeds && self.state.is_funded() {
            let left = self.money(left_minor);
            return Err(Refused::CaptureExceedsAuthorized { left });
        }
        if !self.state.is_capturable() {
            return Err(self.illegal("captured"));
        }
        match asked_minor.unwrap_or(left_minor) {
            0 => Err(Refused::Busy),
            amount_minor => {
                self.capture_pending_minor += amount_minor;
                Ok(amount_minor)
            }
        }
    }

    /// Sets captured money aside to be given back, all that is left when
    /// `amount` is absent, and gives how much.
    pub fn begin_refund(&mut self, amount: Option<Money>) -> Result<i64, Refused> {
        let asked_minor = self.in_own_currency(amount)?;
        if self.state.is_unknown() {
            return Err(Refused::OutcomeUnknown);
        }
        let left_minor = self.captured_minor - self.refunded_minor - self.refund_pending_minor;
        if self.captured_minor == 0 {
            return match self.capture_pending_minor {
                0 => Err(self.illegal("refunded")),
                _ => Err(Refused::Busy),
            };
        }
        if asked_minor.is_none() && left_minor == 0 && self.refund_pending_minor > 0 {
            return Err(Refused::Busy);
        }
        let amount_minor = asked_minor.unwrap_or(left_minor);
        if amount_minor == 0 || amount_minor > left_minor {
            let left = self.money(left_minor);
            return Err(Refused::RefundExceedsCaptured { left });
        }
        self.refund_pending_minor += amount_minor;
        Ok(amount_minor)
    }

    /// Asks for the promise to be given back. True when there is something to
    /// do, false when it is gone already.
    pub fn request_void(&mut self) -> Result<bool, Refused> {
        match self.state {
            State::Voided | State::Declined | State::Expired | State::Failed => Ok(false),
            State::PartiallyCaptured | State::Captured => Err(self.illegal("voided")),
            State::Authorized if self.capture_pending_minor > 0 => Err(Refused::Busy),
            State::Created | State::Processing | State::RequiresAction | State::Authorized => {
                self.void_requested = true;
                Ok(true)
            }
        }
    }

    pub fn illegal(&self, verb: &'static str) -> Refused {
        let state = self.state;
        Refused::IllegalTransition { state, verb }
    }

    fn in_own_currency(&self, amount: Option<Money>) -> Result<Option<i64>, Refused> {
        match amount {
            Some(amount) if amount.currency() != self.currency => Err(Refused::CurrencyMismatch {
                expected: self.currency,
                got: amount.currency(),
            }),
            Some(amount) => Ok(Some(amount.minor())),
            None => Ok(None),
        }
    }
}
