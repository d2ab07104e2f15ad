//! One line of the journal: everything that one accepted call changed, so that
//! it is there as a whole or not at all.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::intent::Intent;
use super::refund::Refund;

/// The first line of a journal.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    pub journal: String,
    pub version: u32,
}

impl Header {
    pub fn current() -> Header {
        Header {
            journal: "payment-simulator".to_owned(),
            version: 1,
        }
    }
}

/// States are written whole, after the change; the last line of an object wins.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Unix seconds.
    pub at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<Refund>,
    /// Events that this change causes, to be delivered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventNote>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<AnswerNote>,
    /// Events of earlier lines that the receiver has acknowledged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delivered: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EventNote {
    pub id: String,
    pub kind: EventKind,
    /// Of the request that caused it, in whose trace it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// Stripe's names. The object of an event is the one its name begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    #[serde(rename = "payment_intent.amount_capturable_updated")]
    AmountCapturableUpdated,
    #[serde(rename = "payment_intent.succeeded")]
    Succeeded,
    #[serde(rename = "payment_intent.payment_failed")]
    PaymentFailed,
    #[serde(rename = "payment_intent.requires_action")]
    RequiresAction,
    #[serde(rename = "payment_intent.canceled")]
    Canceled,
    #[serde(rename = "charge.refunded")]
    ChargeRefunded,
    #[serde(rename = "refund.updated")]
    RefundUpdated,
    #[serde(rename = "refund.failed")]
    RefundFailed,
}

/// The answer kept under an idempotency key, byte for byte.
#[derive(Debug, Serialize, Deserialize)]
pub struct AnswerNote {
    pub key: String,
    /// 16 bytes, in hex.
    pub fingerprint: String,
    pub status: u16,
    pub body: Box<RawValue>,
}
