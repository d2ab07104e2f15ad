//! What other services are told: the stream `cartwright.order.v1`.

use prost::Message;
use uuid::Uuid;

use crate::domain::{NewEvent, Order};
use crate::wire;

pub const STREAM: &str = "cartwright.order.v1";

pub fn order_changed(event: &NewEvent, order: &Order) -> outbox::Event {
    let payload = api::order::v1::OrderChanged {
        event: Some(wire::new_event(event, order.updated_at)),
        customer_id: order.customer_id.as_str().to_owned(),
        total: order.total.map(Into::into),
    };
    outbox::Event {
        id: Uuid::now_v7(),
        topic: STREAM,
        kind: event.kind.name(),
        aggregate: event.order_id.as_uuid(),
        sequence: event.sequence,
        payload: payload.encode_to_vec(),
        traceparent: event.traceparent.clone(),
    }
}
