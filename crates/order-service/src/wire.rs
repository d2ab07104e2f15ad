//! Orders and their events as messages of the API; calls and events share them.

use api::order::v1 as pb;
use api::to_timestamp;
use chrono::{DateTime, Utc};

use crate::domain::{Event, Line, NewEvent, Order, PaymentState, State, StateReason, Work};

pub fn state(state: State) -> i32 {
    i32::from(state.number())
}

fn reason(reason: &StateReason) -> Option<pb::StateReason> {
    (!reason.is_empty()).then(|| pb::StateReason {
        code: reason.code.clone(),
        message: reason.message.clone(),
    })
}

pub fn order(order: &Order) -> pb::Order {
    let action = order.state == State::AwaitingPaymentAction;
    pb::Order {
        id: order.id.to_string(),
        customer_id: order.customer_id.as_str().to_owned(),
        reference: order.reference.clone(),
        state: state(order.state),
        payment_state: payment_state(order.payment_state()) as i32,
        reason: reason(&order.reason),
        lines: order.lines.iter().map(line).collect(),
        total: order.total.map(Into::into),
        captured: Some(order.money(order.captured_minor).into()),
        refunded: Some(order.money(order.refunded_minor).into()),
        currency_code: order.currency.code().to_owned(),
        capture_method: i32::from(order.capture_method.number()),
        payment_id: order
            .payment_id
            .map(|id| id.to_string())
            .unwrap_or_default(),
        payment_action: action.then(|| pb::PaymentAction {
            redirect_url: order.action_url.clone(),
        }),
        sequence: order.sequence,
        create_time: Some(to_timestamp(order.created_at)),
        update_time: Some(to_timestamp(order.updated_at)),
        etag: rpc::etag(order.sequence),
    }
}

fn line(line: &Line) -> pb::OrderLine {
    pb::OrderLine {
        number: line.number,
        sku: line.sku.as_str().to_owned(),
        quantity: line.quantity.get(),
        unit_price: line.unit_price.map(Into::into),
        fulfilled: line.fulfilled,
        returned: line.returned,
    }
}

fn payment_state(state: PaymentState) -> pb::OrderPaymentState {
    match state {
        PaymentState::None => pb::OrderPaymentState::None,
        PaymentState::Authorized => pb::OrderPaymentState::Authorized,
        PaymentState::Captured => pb::OrderPaymentState::Captured,
        PaymentState::PartiallyRefunded => pb::OrderPaymentState::PartiallyRefunded,
        PaymentState::Refunded => pb::OrderPaymentState::Refunded,
        PaymentState::Voided => pb::OrderPaymentState::Voided,
    }
}

fn lines(work: &Work) -> Vec<pb::LineQuantity> {
    let lines = work.lines.iter();
    lines
        .map(|(line_number, quantity)| pb::LineQuantity {
            line_number: *line_number,
            quantity: *quantity,
        })
        .collect()
}

pub fn fulfillment(work: &Work) -> pb::Fulfillment {
    pb::Fulfillment {
        id: work.id.to_string(),
        order_id: work.order_id.to_string(),
        lines: lines(work),
        tracking: work.tracking.clone(),
        state: i32::from(work.state.number()),
        create_time: Some(to_timestamp(work.created_at)),
    }
}

pub fn order_return(work: &Work) -> pb::Return {
    pb::Return {
        id: work.id.to_string(),
        order_id: work.order_id.to_string(),
        lines: lines(work),
        restock: work.restock,
        refund: work.amount.map(Into::into),
        reason: work.reason.clone(),
        state: i32::from(work.state.number()),
        create_time: Some(to_timestamp(work.created_at)),
    }
}

pub fn event(event: &Event) -> pb::OrderEvent {
    pb::OrderEvent {
        order_id: event.order_id.to_string(),
        sequence: event.sequence,
        kind: event.kind.clone(),
        from: event.from.map_or(0, state),
        to: state(event.to),
        reason: reason(&event.reason),
        actor: event.actor.clone(),
        trace_id: trace_id(event.traceparent.as_deref()),
        time: Some(to_timestamp(event.at)),
    }
}

/// The same event at the moment in which it is recorded.
pub fn new_event(new: &NewEvent, at: DateTime<Utc>) -> pb::OrderEvent {
    event(&Event {
        order_id: new.order_id,
        sequence: new.sequence,
        kind: new.kind.name().to_owned(),
        from: new.from,
        to: new.to,
        reason: new.reason.clone(),
        actor: new.actor.clone(),
        traceparent: new.traceparent.clone(),
        at,
    })
}

/// The second part of a W3C `traceparent`.
fn trace_id(traceparent: Option<&str>) -> String {
    let part = traceparent.and_then(|parent| parent.split('-').nth(1));
    part.unwrap_or_default().to_owned()
}
