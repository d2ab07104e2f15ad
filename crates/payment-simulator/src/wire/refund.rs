use std::collections::BTreeMap;

use serde::Serialize;

use super::Null;
use crate::books::refund::{Refund, RefundState};

/// The `refund` object.
#[derive(Serialize)]
pub struct RefundView<'a> {
    id: &'a str,
    object: &'static str,
    amount: i64,
    balance_transaction: Null,
    charge: Option<&'a str>,
    created: i64,
    currency: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_reason: Option<&'static str>,
    metadata: &'a BTreeMap<String, String>,
    payment_intent: &'a str,
    reason: Option<&'a str>,
    receipt_number: Null,
    source_transfer_reversal: Null,
    status: &'static str,
    transfer_reversal: Null,
}

impl<'a> RefundView<'a> {
    pub fn of(refund: &'a Refund) -> RefundView<'a> {
        RefundView {
            id: &refund.id,
            object: "refund",
            amount: refund.amount_minor,
            balance_transaction: (),
            charge: refund.charge.as_deref(),
            created: refund.created,
            currency: &refund.currency,
            failure_reason: (refund.state == RefundState::Failed)
                .then_some("expired_or_canceled_card"),
            metadata: &refund.metadata,
            payment_intent: &refund.intent,
            reason: refund.reason.as_deref(),
            receipt_number: (),
            source_transfer_reversal: (),
            status: refund.state.as_str(),
            transfer_reversal: (),
        }
    }
}
