//! Events as they come out of a stream.

use std::collections::HashMap;

use api::{inventory::v1::InventoryEvent, order::v1::OrderEvent, payment::v1::PaymentEvent};
use chrono::SecondsFormat;
use outbox::Received;
use prost::Message;
use redis::Value;

use crate::text::lossy;

const STREAM: &str = "cartwright.order.v1";

/// Lines of `name=value`: the fields of an entry.
pub(crate) fn entry(data: &[u8]) {
    let lines = data.split(|byte| *byte == b'\n');
    let fields = lines.filter_map(|line| {
        let at = line.iter().position(|byte| *byte == b'=')?;
        let (name, value) = line.split_at(at);
        Some((
            lossy(name).into_owned(),
            Value::BulkString(value[1..].to_vec()),
        ))
    });
    let Some(event) = outbox::parse(STREAM, &fields.collect()) else {
        return;
    };
    assert_eq!(event.topic, STREAM);
    let again = outbox::parse(STREAM, &published(&event));
    assert_eq!(again, Some(event));
}

/// As the relay writes it.
fn published(event: &Received) -> HashMap<String, Value> {
    let time = event.time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    let texts = [
        ("id", event.id.to_string()),
        ("type", format!("{}.{}", event.topic, event.kind)),
        ("aggregate", event.aggregate.to_string()),
        ("sequence", event.sequence.to_string()),
        ("time", time),
    ];
    let texts = texts.into_iter().chain(
        event
            .traceparent
            .clone()
            .map(|parent| ("traceparent", parent)),
    );
    let mut fields: HashMap<String, Value> = texts
        .map(|(name, text)| (name.to_owned(), Value::BulkString(text.into_bytes())))
        .collect();
    let payload = Value::BulkString(event.payload.clone());
    fields.insert("payload".to_owned(), payload);
    fields
}

/// What is in an event can be passed on as it was understood.
pub(crate) fn payload(data: &[u8]) {
    understood::<OrderEvent>(data);
    understood::<PaymentEvent>(data);
    understood::<InventoryEvent>(data);
}

fn understood<M: Message + Default + PartialEq + std::fmt::Debug>(data: &[u8]) {
    if let Ok(message) = M::decode(data) {
        let again = M::decode(message.encode_to_vec().as_slice());
        assert_eq!(again, Ok(message));
    }
}
