//! Events of the stream `cartwright.inventory.v1`, as the outbox takes them.

use api::inventory::v1::{self as pb, inventory_event};
use chrono::{DateTime, Utc};
use database::{Connection, Result};
use prost::Message;
use types::EventId;

use crate::domain::{Event, EventKind};

pub const STREAM: &str = "cartwright.inventory.v1";

/// The caller has locked the reservations that the events are about.
pub async fn append(conn: &mut Connection, events: &[Event], now: DateTime<Utc>) -> Result<()> {
    let traceparent = telemetry::propagation::current_traceparent();
    let events: Vec<outbox::Event> = events
        .iter()
        .map(|event| outbox::Event {
            id: EventId::generate().as_uuid(),
            topic: STREAM,
            kind: name(&event.kind),
            aggregate: event.order_id.as_uuid(),
            sequence: event.sequence,
            payload: payload(event, now).encode_to_vec(),
            traceparent: traceparent.clone(),
        })
        .collect();
    outbox::append(conn, &events).await
}

fn name(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::ReservationExpired => "reservation_expired",
        EventKind::StockShortfall { .. } => "stock_shortfall",
    }
}

fn payload(event: &Event, now: DateTime<Utc>) -> pb::InventoryEvent {
    let what = match &event.kind {
        EventKind::ReservationExpired => {
            inventory_event::Event::ReservationExpired(pb::ReservationExpired {})
        }
        EventKind::StockShortfall {
            sku,
            location_id,
            quantity,
        } => inventory_event::Event::StockShortfall(pb::StockShortfall {
            sku: sku.to_string(),
            location_id: location_id.to_string(),
            quantity: *quantity,
        }),
    };
    pb::InventoryEvent {
        order_id: event.order_id.to_string(),
        time: Some(api::to_timestamp(now)),
        event: Some(what),
    }
}
