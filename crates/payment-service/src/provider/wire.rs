//! Stripe's JSON, as far as it is read, and what it means to the domain.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use types::{Currency, Money, OrderId, PaymentId, RefundId};

use crate::domain::{self, IntentStatus, RefundSeen, TransferState};

const CODE_CHARS_MAX: usize = 64;
/// Metadata by which what the provider has is known to be ours.
pub(super) const PAYMENT_ID: &str = "payment_id";
pub(super) const REFUND_ID: &str = "refund_id";
pub(super) const ORDER_ID: &str = "order_id";

/// An intent, and what of ours it says it was made for.
#[derive(Debug, Clone)]
pub struct Found {
    pub intent: domain::Intent,
    pub payment: Option<PaymentId>,
    pub order: Option<OrderId>,
    pub payment_method: Option<String>,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct PaymentIntent {
    pub id: String,
    status: String,
    amount: i64,
    #[serde(default)]
    amount_capturable: i64,
    #[serde(default)]
    amount_received: i64,
    currency: String,
    #[serde(default)]
    created: i64,
    #[serde(default)]
    metadata: HashMap<String, String>,
    #[serde(default)]
    payment_method: Option<Reference>,
    next_action: Option<NextAction>,
    last_payment_error: Option<ErrorBody>,
    cancellation_reason: Option<String>,
}

/// Another object: its id, or all of it where that was asked for.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Reference {
    Id(String),
    Object { id: String },
}

impl Reference {
    fn id(&self) -> &str {
        match self {
            Reference::Id(id) | Reference::Object { id } => id,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
struct NextAction {
    redirect_to_url: Option<RedirectToUrl>,
}

#[derive(Debug, Clone, Deserialize)]
struct RedirectToUrl {
    url: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct ErrorReply {
    pub error: ErrorBody,
}

#[derive(Debug, Clone, Deserialize)]
pub struct ErrorBody {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub code: Option<String>,
    pub decline_code: Option<String>,
    #[serde(default)]
    pub message: String,
    pub payment_intent: Option<Box<PaymentIntent>>,
    #[serde(default)]
    payment_method: Option<Reference>,
}

impl ErrorBody {
    /// The most telling code there is. It is kept and shown to callers, so
    /// whatever is not a plain word counts as none.
    pub fn best_code(&self) -> String {
        let codes = [&self.decline_code, &self.code, &self.kind];
        let mut codes = codes.into_iter().flatten();
        let code = codes.find(|code| is_word(code));
        code.map_or_else(|| "unspecified".to_owned(), Clone::clone)
    }
}

fn is_word(code: &str) -> bool {
    let is_part =
        |found: char| found.is_ascii_lowercase() || found.is_ascii_digit() || found == '_';
    (1..=CODE_CHARS_MAX).contains(&code.len()) && code.chars().all(is_part)
}

impl PaymentIntent {
    pub fn payment_id(&self) -> Option<PaymentId> {
        PaymentId::parse(self.metadata.get(PAYMENT_ID)?).ok()
    }

    /// `None` when its currency is none that we know.
    pub fn found(&self) -> Option<Found> {
        let order = self.metadata.get(ORDER_ID);
        // After a decline it is with the error alone.
        let error = self.last_payment_error.as_ref();
        let declined = || error.and_then(|error| error.payment_method.as_ref());
        let method = self.payment_method.as_ref().or_else(declined);
        Some(Found {
            intent: self.intent()?,
            payment: self.payment_id(),
            order: order.and_then(|id| OrderId::parse(id).ok()),
            payment_method: method.map(|method| method.id().to_owned()),
            created_at: DateTime::from_timestamp(self.created, 0).unwrap_or_default(),
        })
    }

    /// `None` when its currency is none that we know.
    pub fn intent(&self) -> Option<domain::Intent> {
        let currency = Currency::parse(&self.currency.to_ascii_uppercase()).ok()?;
        Some(domain::Intent {
            reference: self.id.clone(),
            status: self.meaning(),
            amount: Money::new(self.amount, currency),
            capturable_minor: self.amount_capturable,
            received_minor: self.amount_received,
        })
    }

    fn meaning(&self) -> IntentStatus {
        match self.status.as_str() {
            "requires_payment_method" => match &self.last_payment_error {
                Some(error) => IntentStatus::Declined {
                    code: error.best_code(),
                },
                // Made and never confirmed.
                None => IntentStatus::Pending,
            },
            "requires_confirmation" => IntentStatus::ConfirmationRequired,
            "requires_action" => IntentStatus::ActionRequired {
                url: self.action_url(),
            },
            "requires_capture" => IntentStatus::Authorized,
            "succeeded" => IntentStatus::Captured,
            "canceled" => IntentStatus::Canceled {
                expired: matches!(
                    self.cancellation_reason.as_deref(),
                    Some("automatic" | "expired")
                ),
            },
            _ => IntentStatus::Pending,
        }
    }

    fn action_url(&self) -> Option<String> {
        let redirect = self.next_action.as_ref()?.redirect_to_url.as_ref()?;
        redirect.url.clone()
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct Refund {
    pub id: String,
    pub amount: i64,
    pub status: Option<String>,
    #[serde(default)]
    payment_intent: Option<Reference>,
    failure_reason: Option<String>,
    #[serde(default)]
    metadata: HashMap<String, String>,
}

impl Refund {
    /// The intent whose money it gives back.
    pub fn intent(&self) -> Option<&str> {
        self.payment_intent.as_ref().map(Reference::id)
    }

    pub fn payment_id(&self) -> Option<PaymentId> {
        PaymentId::parse(self.metadata.get(PAYMENT_ID)?).ok()
    }

    pub fn refund_id(&self) -> Option<RefundId> {
        RefundId::parse(self.metadata.get(REFUND_ID)?).ok()
    }

    pub fn seen(&self, refund: RefundId) -> RefundSeen {
        RefundSeen {
            refund,
            reference: Some(self.id.clone()),
            state: self.state(),
            failure_code: self.failure_reason.clone(),
        }
    }

    pub fn state(&self) -> TransferState {
        match self.status.as_deref() {
            Some("succeeded") => TransferState::Succeeded,
            Some("failed" | "canceled") => TransferState::Failed,
            _ => TransferState::Pending,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct List<T> {
    pub data: Vec<T>,
    pub has_more: bool,
}

/// The body of a webhook.
#[derive(Debug, Clone, Deserialize)]
pub struct Event {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub data: EventData,
}

#[derive(Debug, Clone, Deserialize)]
pub struct EventData {
    pub object: EventObject,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "object")]
pub enum EventObject {
    #[serde(rename = "payment_intent")]
    PaymentIntent(Box<PaymentIntent>),
    #[serde(rename = "refund")]
    Refund(Refund),
    #[serde(other)]
    Other,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panic")]
mod tests {
    use super::*;

    fn intent(status: &str, more: &str) -> domain::Intent {
        let json = format!(
            r#"{{"id":"pi_1","object":"payment_intent","status":"{status}","amount":500,"currency":"gbp"{more}}}"#
        );
        let read: PaymentIntent = serde_json::from_str(&json).unwrap();
        read.intent().unwrap()
    }

    #[test]
    fn each_status_has_one_meaning() {
        let error = r#","last_payment_error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds"}"#;
        let table = [
            ("requires_payment_method", "", IntentStatus::Pending),
            (
                "requires_payment_method",
                error,
                IntentStatus::Declined {
                    code: "insufficient_funds".to_owned(),
                },
            ),
            (
                "requires_confirmation",
                "",
                IntentStatus::ConfirmationRequired,
            ),
            (
                "requires_action",
                r#","next_action":{"type":"redirect_to_url","redirect_to_url":{"url":"https://bank"}}"#,
                IntentStatus::ActionRequired {
                    url: Some("https://bank".to_owned()),
                },
            ),
            (
                "requires_action",
                r#","next_action":{"type":"use_stripe_sdk"}"#,
                IntentStatus::ActionRequired { url: None },
            ),
            ("processing", "", IntentStatus::Pending),
            ("requires_capture", "", IntentStatus::Authorized),
            ("succeeded", "", IntentStatus::Captured),
            (
                "canceled",
                r#","cancellation_reason":"automatic""#,
                IntentStatus::Canceled { expired: true },
            ),
            (
                "canceled",
                r#","cancellation_reason":null"#,
                IntentStatus::Canceled { expired: false },
            ),
            ("a_status_of_next_year", "", IntentStatus::Pending),
        ];
        for (status, more, meaning) in table {
            assert_eq!(intent(status, more).status, meaning, "{status} {more}");
        }
    }

    #[test]
    fn an_event_of_another_kind_is_read_and_ignored() {
        let json = r#"{"id":"evt_1","type":"customer.created","data":{"object":{"id":"cus_1","object":"customer"}}}"#;
        let event: Event = serde_json::from_str(json).unwrap();
        assert!(matches!(event.data.object, EventObject::Other));
    }

    #[test]
    fn a_code_that_is_no_plain_word_is_not_passed_on() {
        let body = |code: &str| ErrorBody {
            kind: None,
            code: Some(code.to_owned()),
            decline_code: None,
            message: String::new(),
            payment_intent: None,
            payment_method: None,
        };
        assert_eq!(body("insufficient_funds").best_code(), "insufficient_funds");
        for code in [
            "",
            "see https://provider.internal:8443",
            "a b",
            &"x".repeat(65),
        ] {
            assert_eq!(body(code).best_code(), "unspecified");
        }
    }
}
