//! What is counted of payments and of the provider's webhooks, each time after
//! the commit that made it true. A process that dies between the two counts one
//! too few; nothing is counted twice.

use std::sync::LazyLock;

use telemetry::metrics::{Counter, KeyValue, counter};
use types::Money;

use crate::app::{AppError, Applied};
use crate::domain::{Account, Happened};

static CREATED: LazyLock<Counter> =
    LazyLock::new(|| counter("payments.created", "{payment}", "Payments that were begun."));
static FAILED: LazyLock<Counter> = LazyLock::new(|| {
    counter(
        "payments.failed",
        "{payment}",
        "Payments that the provider refused, by its code.",
    )
});
static CAPTURED: LazyLock<Counter> =
    LazyLock::new(|| counter("payments.captured", "{capture}", "Captures that were made."));
static CAPTURED_AMOUNT: LazyLock<Counter> = LazyLock::new(|| {
    counter(
        "payment.captured.amount",
        "{minor_unit}",
        "Money captured, in the smallest unit of its currency.",
    )
});
static REFUNDED: LazyLock<Counter> = LazyLock::new(|| {
    counter(
        "payments.refunded",
        "{refund}",
        "Refunds that were made, also those that came back later.",
    )
});
static REFUNDED_AMOUNT: LazyLock<Counter> = LazyLock::new(|| {
    counter(
        "payment.refunded.amount",
        "{minor_unit}",
        "Money given back, in the smallest unit of its currency.",
    )
});
static WEBHOOKS: LazyLock<Counter> = LazyLock::new(|| {
    counter(
        "webhooks.received",
        "{webhook}",
        "Webhooks of the provider, by what became of them.",
    )
});

/// What Stripe may say to a payment, and what we say for it.
const CODES: [&str; 56] = [
    "amount_too_large",
    "amount_too_small",
    "approve_with_id",
    "authentication_required",
    "call_issuer",
    "card_declined",
    "card_not_supported",
    "card_velocity_exceeded",
    "charge_expired_for_capture",
    "currency_not_supported",
    "do_not_honor",
    "do_not_try_again",
    "duplicate_transaction",
    "expired_card",
    "fraudulent",
    "generic_decline",
    "incorrect_address",
    "incorrect_cvc",
    "incorrect_number",
    "incorrect_pin",
    "incorrect_zip",
    "insufficient_funds",
    "invalid_account",
    "invalid_amount",
    "invalid_cvc",
    "invalid_expiry_month",
    "invalid_expiry_year",
    "invalid_number",
    "invalid_pin",
    "invalid_request_error",
    "issuer_not_available",
    "lost_card",
    "merchant_blacklist",
    "never_reached_provider",
    "new_account_information_available",
    "no_action_taken",
    "not_permitted",
    "offline_pin_required",
    "online_or_offline_pin_required",
    "payment_intent_authentication_failure",
    "payment_method_invalid_parameter",
    "pickup_card",
    "pin_try_exceeded",
    "processing_error",
    "reenter_transaction",
    "resource_missing",
    "restricted_card",
    "revocation_of_authorization",
    "security_violation",
    "service_not_allowed",
    "stolen_card",
    "stop_payment_order",
    "testmode_decline",
    "transaction_not_allowed",
    "try_again_later",
    "unspecified",
];
const OTHER: &str = "other";

/// What a transaction has made of a payment, to be counted once it is
/// committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    Failed { code: &'static str },
    Captured(Money),
    Refunded(Money),
}

impl Count {
    /// `None`: this is not counted.
    pub fn of(account: &Account, happened: Happened) -> Option<Self> {
        let currency = account.payment.currency;
        match happened {
            Happened::Declined | Happened::Failed => {
                let said = account.payment.decline_code.as_deref();
                let code = code(said.unwrap_or("unspecified"));
                Some(Self::Failed { code })
            }
            Happened::Captured(id) => {
                let mut captures = account.captures.iter();
                let capture = captures.find(|capture| capture.id == id)?;
                Some(Self::Captured(Money::new(capture.amount_minor, currency)))
            }
            Happened::Refunded(id) => {
                let mut refunds = account.refunds.iter();
                let refund = refunds.find(|refund| refund.id == id)?;
                Some(Self::Refunded(refund.amount()))
            }
            Happened::ActionRequired
            | Happened::Authorized
            | Happened::CaptureFailed(_)
            | Happened::Released
            | Happened::Voided
            | Happened::Expired
            | Happened::RefundFailed(_)
            | Happened::RefundReturned(_) => None,
        }
    }

    pub fn add(self) {
        match self {
            Self::Failed { code } => FAILED.add(1, &[KeyValue::new("code", code)]),
            Self::Captured(amount) => {
                CAPTURED.add(1, &[]);
                add(&CAPTURED_AMOUNT, amount);
            }
            Self::Refunded(amount) => {
                REFUNDED.add(1, &[]);
                add(&REFUNDED_AMOUNT, amount);
            }
        }
    }
}

fn add(counter: &Counter, amount: Money) {
    let minor = u64::try_from(amount.minor()).unwrap_or(0);
    counter.add(
        minor,
        &[KeyValue::new("currency", amount.currency().code())],
    );
}

/// Shows from the start that nothing has happened yet: of what is not there, no
/// rate is known.
pub fn announce() {
    for counter in [&CREATED, &CAPTURED, &REFUNDED] {
        counter.add(0, &[]);
    }
}

/// An attempt was written for the first time.
pub fn begun() {
    CREATED.add(1, &[]);
}

/// What became of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Webhook {
    Applied(Applied),
    /// The provider has to send it again.
    Failed,
    /// It did not come from the provider, or cannot be read.
    Refused,
}

impl Webhook {
    pub fn of(applied: &Result<Applied, AppError>) -> Self {
        applied
            .as_ref()
            .copied()
            .map_or(Self::Failed, Self::Applied)
    }
}

pub fn webhook(what: Webhook) {
    let outcome = match what {
        Webhook::Applied(Applied::Now) => "applied",
        Webhook::Applied(Applied::Before) => "known",
        Webhook::Applied(Applied::Ignored) => "ignored",
        Webhook::Failed => "failed",
        Webhook::Refused => "refused",
    };
    WEBHOOKS.add(1, &[KeyValue::new("outcome", outcome)]);
}

fn code(said: &str) -> &'static str {
    let mut known = CODES.into_iter();
    known.find(|known| *known == said).unwrap_or(OTHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_nobody_knows_makes_no_series_of_its_own() {
        assert_eq!(code("insufficient_funds"), "insufficient_funds");
        assert_eq!(code("never_reached_provider"), "never_reached_provider");
        assert_eq!(code("code_of_customer_4711"), OTHER);
    }
}
