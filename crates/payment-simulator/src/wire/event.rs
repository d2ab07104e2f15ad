use serde::Serialize;
use serde_json::value::RawValue;

use super::{Charge, PaymentIntent, RefundView, render};
use crate::books::entry::{Entry, EventKind};

/// The `event` object, the body of a webhook.
#[derive(Serialize)]
pub struct Event<'a> {
    id: &'a str,
    object: &'static str,
    api_version: &'static str,
    created: i64,
    data: Data,
    livemode: bool,
    pending_webhooks: u32,
    request: Request<'a>,
    #[serde(rename = "type")]
    kind: EventKind,
}

#[derive(Serialize)]
struct Data {
    object: Box<RawValue>,
}

#[derive(Serialize)]
struct Request<'a> {
    id: Option<&'a str>,
    idempotency_key: Option<&'a str>,
}

/// Renders the event `id` of a journal entry with the state after that entry,
/// the same each time. `None`: the entry has no such event.
pub fn event<'a>(
    entry: &'a Entry,
    id: &'a str,
    public_url: &str,
) -> Result<Option<Event<'a>>, serde_json::Error> {
    let Some(note) = entry.events.iter().find(|note| note.id == id) else {
        return Ok(None);
    };
    let Some(object) = object(entry, note.kind, public_url)? else {
        return Ok(None);
    };
    Ok(Some(Event {
        id,
        object: "event",
        api_version: "2024-06-20",
        created: entry.at,
        data: Data { object },
        livemode: false,
        pending_webhooks: 1,
        request: Request {
            id: None,
            idempotency_key: entry.answer.as_ref().map(|answer| answer.key.as_str()),
        },
        kind: note.kind,
    }))
}

fn object(
    entry: &Entry,
    kind: EventKind,
    public_url: &str,
) -> Result<Option<Box<RawValue>>, serde_json::Error> {
    match kind {
        EventKind::AmountCapturableUpdated
        | EventKind::Succeeded
        | EventKind::PaymentFailed
        | EventKind::RequiresAction
        | EventKind::Canceled => {
            let intent = entry.intent.as_ref();
            intent.map(|intent| render(&PaymentIntent::of(intent, public_url)))
        }
        EventKind::ChargeRefunded => {
            let intent = entry.intent.as_ref();
            intent.map(|intent| render(&Charge::of(intent)))
        }
        EventKind::RefundUpdated | EventKind::RefundFailed => {
            let refund = entry.refund.as_ref();
            refund.map(|refund| render(&RefundView::of(refund)))
        }
    }
    .transpose()
}
