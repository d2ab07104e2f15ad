//! What is told to others: one entry of the stream for each thing that
//! happened to a payment.

use api::payment::v1 as pb;
use prost::Message;
use types::{EventId, RefundId};

use crate::domain::{Account, Happened};
use crate::message;

pub const STREAM: &str = "cartwright.payment.v1";

/// The event with the number that the payment's counter has now.
pub fn event(account: &Account, happened: Happened, traceparent: Option<String>) -> outbox::Event {
    let payload = pb::PaymentEvent {
        payment: Some(message::payment(&account.payment)),
        refund: refund_behind(happened).and_then(|id| {
            let found = account.refunds.iter().find(|refund| refund.id == id);
            found.map(message::refund)
        }),
    };
    outbox::Event {
        id: EventId::generate().as_uuid(),
        topic: STREAM,
        kind: happened.kind(),
        aggregate: account.payment.id.as_uuid(),
        sequence: account.payment.event_count,
        payload: payload.encode_to_vec(),
        traceparent,
    }
}

fn refund_behind(happened: Happened) -> Option<RefundId> {
    match happened {
        Happened::Refunded(id) | Happened::RefundFailed(id) | Happened::RefundReturned(id) => {
            Some(id)
        }
        Happened::ActionRequired
        | Happened::Authorized
        | Happened::Declined
        | Happened::Captured(_)
        | Happened::CaptureFailed(_)
        | Happened::Released
        | Happened::Voided
        | Happened::Expired
        | Happened::Failed => None,
    }
}
