use std::collections::BTreeMap;

use serde::Serialize;

use super::Null;
use crate::books::intent::Intent;

/// The `charge` object: the latest attempt of an intent, sent with
/// `charge.refunded`.
#[derive(Serialize)]
pub struct Charge<'a> {
    id: Option<&'a str>,
    object: &'static str,
    amount: i64,
    amount_captured: i64,
    amount_refunded: i64,
    balance_transaction: Null,
    captured: bool,
    created: i64,
    currency: &'a str,
    customer: Null,
    description: Option<&'a str>,
    disputed: bool,
    failure_code: Null,
    failure_message: Null,
    livemode: bool,
    metadata: &'a BTreeMap<String, String>,
    paid: bool,
    payment_intent: &'a str,
    payment_method: Option<&'static str>,
    payment_method_details: Option<Details>,
    refunded: bool,
    status: &'static str,
}

#[derive(Serialize)]
struct Details {
    card: CardDetails,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct CardDetails {
    brand: &'static str,
    last4: &'static str,
}

impl<'a> Charge<'a> {
    pub fn of(intent: &'a Intent) -> Charge<'a> {
        let details = |card: crate::methods::Card| Details {
            card: CardDetails {
                brand: card.brand,
                last4: card.last4,
            },
            kind: "card",
        };
        Charge {
            id: intent.charge.as_deref(),
            object: "charge",
            amount: intent.amount_minor,
            amount_captured: intent.captured_minor,
            amount_refunded: intent.refunded_minor,
            balance_transaction: (),
            captured: intent.captured_minor > 0,
            created: intent.created,
            currency: &intent.currency,
            customer: (),
            description: intent.description.as_deref(),
            disputed: false,
            failure_code: (),
            failure_message: (),
            livemode: false,
            metadata: &intent.metadata,
            paid: intent.authorized,
            payment_intent: &intent.id,
            payment_method: intent.method.map(|method| method.name()),
            payment_method_details: intent.method.map(|method| details(method.card())),
            refunded: intent.captured_minor > 0 && intent.refundable_minor() == 0,
            status: "succeeded",
        }
    }
}
