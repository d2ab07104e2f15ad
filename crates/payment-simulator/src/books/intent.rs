//! The payment intent: its states, its amounts, and which change is allowed
//! when. Pure: the caller gives the time and the ids.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::methods::{Decline, Method, OnConfirm, Quirk};

/// The largest amount of one intent, in minor units.
pub const AMOUNT_MINOR_MAX: i64 = 99_999_999_999;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Intent {
    pub id: String,
    /// Order of creation; breaks ties of `created` in lists.
    pub sequence: u64,
    /// Unix seconds, as all times here.
    pub created: i64,
    pub amount_minor: i64,
    /// Lower case, as Stripe has it.
    pub currency: String,
    pub capture_method: CaptureMethod,
    pub confirmation_method: ConfirmationMethod,
    pub status: Status,
    /// The customer passed the challenge and the shop has yet to confirm again.
    #[serde(default, skip_serializing_if = "is_false")]
    pub challenge_passed: bool,
    /// The bank approved the amount at some time.
    #[serde(default, skip_serializing_if = "is_false")]
    pub authorized: bool,
    #[serde(default)]
    pub captured_minor: i64,
    /// Refunds that succeeded or are pending.
    #[serde(default)]
    pub refunded_minor: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<PaymentError>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canceled_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancellation_reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    pub client_secret: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    RequiresCapture,
    Canceled,
    Succeeded,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Status::RequiresPaymentMethod => "requires_payment_method",
            Status::RequiresConfirmation => "requires_confirmation",
            Status::RequiresAction => "requires_action",
            Status::RequiresCapture => "requires_capture",
            Status::Canceled => "canceled",
            Status::Succeeded => "succeeded",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureMethod {
    Automatic,
    Manual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConfirmationMethod {
    Automatic,
    Manual,
}

/// The last failed attempt to pay.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PaymentError {
    pub code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decline_code: Option<String>,
    pub message: String,
    pub method: Method,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<String>,
}

/// How an attempt to pay ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    Approved,
    Challenged,
    Declined,
}

/// Why a change was not made. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    NotConfirmable(Status),
    NoPaymentMethod,
    NoActionPending(Status),
    NotCapturable(Status),
    CaptureTooLarge { asked_minor: i64, left_minor: i64 },
    AuthorizationGone,
    NotCancelable(Status),
    NothingCaptured,
    AlreadyRefunded,
    RefundTooLarge { asked_minor: i64, left_minor: i64 },
}

impl Intent {
    pub fn capturable_minor(&self) -> i64 {
        match self.status {
            Status::RequiresCapture => self.amount_minor - self.captured_minor,
            _ => 0,
        }
    }

    pub fn refundable_minor(&self) -> i64 {
        self.captured_minor - self.refunded_minor
    }

    pub fn quirk(&self) -> Quirk {
        let failed = self.last_error.as_ref().map(|error| error.method);
        self.method.or(failed).map_or(Quirk::None, Method::quirk)
    }

    /// Asks the bank. `method` replaces the one there is; `charge` is the id of
    /// the attempt.
    pub fn confirm(&mut self, method: Option<Method>, charge: String) -> Result<Attempt, Refusal> {
        match self.status {
            Status::RequiresPaymentMethod
            | Status::RequiresConfirmation
            | Status::RequiresAction => {}
            other => return Err(Refusal::NotConfirmable(other)),
        }
        if let Some(method) = method {
            self.method = Some(method);
            self.challenge_passed = false;
        }
        let Some(method) = self.method else {
            return Err(Refusal::NoPaymentMethod);
        };
        match method.on_confirm() {
            OnConfirm::Approve => Ok(self.approve(charge)),
            OnConfirm::Challenge if self.challenge_passed => Ok(self.approve(charge)),
            OnConfirm::Challenge => {
                self.status = Status::RequiresAction;
                self.last_error = None;
                Ok(Attempt::Challenged)
            }
            OnConfirm::Decline(decline) => Ok(self.decline(method, decline, Some(charge))),
        }
    }

    /// The customer did what the bank asked for, or failed to.
    pub fn complete_action(&mut self, passed: bool, charge: String) -> Result<Attempt, Refusal> {
        let (Status::RequiresAction, Some(method)) = (self.status, self.method) else {
            return Err(Refusal::NoActionPending(self.status));
        };
        if !passed {
            return Ok(self.decline(method, CHALLENGE_FAILED, None));
        }
        match self.confirmation_method {
            ConfirmationMethod::Automatic => Ok(self.approve(charge)),
            ConfirmationMethod::Manual => {
                self.challenge_passed = true;
                self.status = Status::RequiresConfirmation;
                Ok(Attempt::Challenged)
            }
        }
    }

    /// Takes money that was authorized. `amount_minor` is all that is left when
    /// absent; after a final capture the rest is released.
    pub fn capture(&mut self, amount_minor: Option<i64>, last: bool) -> Result<(), Refusal> {
        if self.status != Status::RequiresCapture {
            return Err(Refusal::NotCapturable(self.status));
        }
        let left_minor = self.capturable_minor();
        let asked_minor = amount_minor.unwrap_or(left_minor);
        if asked_minor > left_minor {
            return Err(Refusal::CaptureTooLarge {
                asked_minor,
                left_minor,
            });
        }
        if self.quirk() == Quirk::CaptureRefused {
            return Err(Refusal::AuthorizationGone);
        }
        self.captured_minor += asked_minor;
        if last || asked_minor == left_minor {
            self.status = Status::Succeeded;
        }
        Ok(())
    }

    /// Gives up what is not captured.
    pub fn cancel(&mut self, reason: Option<String>, now: i64) -> Result<(), Refusal> {
        match self.status {
            Status::Canceled | Status::Succeeded => Err(Refusal::NotCancelable(self.status)),
            _ => {
                self.status = Status::Canceled;
                self.canceled_at = Some(now);
                self.cancellation_reason = reason;
                Ok(())
            }
        }
    }

    /// Sets aside money to give back and answers how much: all that is left
    /// when no amount is given.
    pub fn refund(&mut self, amount_minor: Option<i64>) -> Result<i64, Refusal> {
        if self.captured_minor == 0 {
            return Err(Refusal::NothingCaptured);
        }
        let left_minor = self.refundable_minor();
        if left_minor == 0 {
            return Err(Refusal::AlreadyRefunded);
        }
        let asked_minor = amount_minor.unwrap_or(left_minor);
        if asked_minor > left_minor {
            return Err(Refusal::RefundTooLarge {
                asked_minor,
                left_minor,
            });
        }
        self.refunded_minor += asked_minor;
        Ok(asked_minor)
    }

    /// A pending refund came back.
    pub fn refund_failed(&mut self, amount_minor: i64) {
        self.refunded_minor -= amount_minor;
    }

    fn approve(&mut self, charge: String) -> Attempt {
        self.authorized = true;
        self.charge = Some(charge);
        self.last_error = None;
        match self.capture_method {
            CaptureMethod::Manual => self.status = Status::RequiresCapture,
            CaptureMethod::Automatic => {
                self.captured_minor = self.amount_minor;
                self.status = Status::Succeeded;
            }
        }
        Attempt::Approved
    }

    fn decline(&mut self, method: Method, decline: Decline, charge: Option<String>) -> Attempt {
        self.status = Status::RequiresPaymentMethod;
        self.method = None;
        self.challenge_passed = false;
        self.charge.clone_from(&charge);
        self.last_error = Some(PaymentError {
            code: decline.code.to_owned(),
            decline_code: decline.decline_code.map(str::to_owned),
            message: decline.message.to_owned(),
            method,
            charge,
        });
        Attempt::Declined
    }
}

const CHALLENGE_FAILED: Decline = Decline {
    code: "payment_intent_authentication_failure",
    decline_code: None,
    message: "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.",
};
