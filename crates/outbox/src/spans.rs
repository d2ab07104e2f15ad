//! What is told of events on their way. A span of an event is in the trace of
//! the transaction that made it true.

use crate::{Received, broker::Outgoing};
use telemetry::propagation::{says_sampled, set_parent_from, traceparent_of};
use tracing::{Span, field::Empty, info_span};
use uuid::Uuid;

/// An event that is being published, if its trace is kept.
pub(crate) struct Publishing(Option<Span>);

impl Publishing {
    pub(crate) fn begin(event: &Outgoing) -> Self {
        let traceparent = event.traceparent.as_deref();
        let sampled = traceparent.filter(|traceparent| says_sampled(traceparent));
        Self(sampled.map(|traceparent| publish(event, traceparent)))
    }

    /// What a consumer is to go on below, where it is not what the event has.
    pub(crate) fn traceparent(&self) -> Option<String> {
        self.0.as_ref().and_then(traceparent_of)
    }

    pub(crate) fn failed(&self) {
        if let Some(span) = &self.0 {
            failed(span, "redis");
        }
    }
}

fn publish(event: &Outgoing, traceparent: &str) -> Span {
    let span = info_span!(
        parent: None,
        "publish",
        otel.name = format!("send {}", event.topic),
        otel.kind = "producer",
        otel.status_code = Empty,
        messaging.system = "redis",
        "messaging.operation.type" = "send",
        messaging.destination.name = event.topic,
        messaging.message.id = %event.event_id,
        event.id = %event.event_id,
        event.kind = event.kind,
        order.id = Empty,
        payment.id = Empty,
        "error.type" = Empty,
    );
    set_parent_from(&span, traceparent);
    name_entity(&span, &event.topic, event.aggregate);
    span
}

/// In which a group acts upon an event.
pub(crate) fn process(group: &str, event: &Received) -> Span {
    let span = info_span!(
        "process",
        otel.name = format!("process {}", event.topic),
        otel.kind = "consumer",
        otel.status_code = Empty,
        messaging.system = "redis",
        "messaging.operation.type" = "process",
        messaging.destination.name = event.topic,
        messaging.consumer.group.name = group,
        messaging.message.id = %event.id,
        event.id = %event.id,
        event.kind = event.kind,
        order.id = Empty,
        payment.id = Empty,
        "error.type" = Empty,
    );
    if let Some(traceparent) = &event.traceparent {
        set_parent_from(&span, traceparent);
    }
    name_entity(&span, &event.topic, event.aggregate);
    span
}

/// `kind` is one of few.
pub(crate) fn failed(span: &Span, kind: &'static str) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", kind);
}

/// The second word of a topic says what its aggregates are: events of stock are
/// those of the order that it is held for.
fn name_entity(span: &Span, topic: &str, aggregate: Uuid) {
    let name = match topic.split('.').nth(1) {
        Some("order" | "inventory") => "order.id",
        Some("payment") => "payment.id",
        _ => return,
    };
    span.record(name, tracing::field::display(aggregate));
}
