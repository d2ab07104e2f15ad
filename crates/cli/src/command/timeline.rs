//! The story of an order, readable from top to bottom.

use std::fmt::Write;

use api::order::v1 as pb;
use chrono::{DateTime, Utc};

use super::order::view;
use crate::{failure::Failure, output::table, shop::Shop, show};

pub async fn fetch(order_id: &str, shop: &Shop) -> Result<pb::GetOrderTimelineResponse, Failure> {
    let request = pb::GetOrderTimelineRequest {
        order_id: order_id.to_owned(),
    };
    let answer = shop.orders.ask(request, |mut client, request| async move {
        client.get_order_timeline(request).await
    });
    answer.await
}

pub fn tell(story: &pb::GetOrderTimelineResponse) -> String {
    let mut text = String::new();
    if let Some(order) = &story.order {
        text.push_str(&headline(order));
    }
    text.push_str(&events(&story.events));
    for shipment in &story.fulfillments {
        let (state, lines) = (
            show::work_state(shipment.state),
            view::quantities(&shipment.lines),
        );
        let _ = writeln!(text, "shipment {}  {state}  {lines}", shipment.id);
    }
    for back in &story.returns {
        let (state, lines) = (show::work_state(back.state), view::quantities(&back.lines));
        let refund = show::money(back.refund.as_ref());
        let _ = writeln!(text, "return {}  {state}  {lines}  {refund} back", back.id);
    }
    text
}

fn headline(order: &pb::Order) -> String {
    let goods = match order.lines.as_slice() {
        lines if lines.len() > 3 => format!("{} lines", lines.len()),
        lines => {
            let goods = lines
                .iter()
                .map(|line| format!("{} × {}", line.quantity, line.sku));
            goods.collect::<Vec<_>>().join(", ")
        }
    };
    let total = show::money(order.total.as_ref());
    let state = show::order_state(order.state);
    let money = show::order_payment_state(order.payment_state);
    let (id, customer) = (&order.id, &order.customer_id);
    format!("order {id} of {customer}: {goods}  {total}\nnow {state}, payment {money}\n\n")
}

fn events(events: &[pb::OrderEvent]) -> String {
    let start = events
        .first()
        .and_then(|event| show::moment(event.time.as_ref()));
    let rows = events.iter().map(|event| {
        let reason = event.reason.as_ref().map(view::reason).unwrap_or_default();
        [
            event.sequence.to_string(),
            show::moment(event.time.as_ref()).map_or_else(String::new, clock),
            since(start, event.time.as_ref()),
            event.kind.clone(),
            step(event),
            event.actor.clone(),
            reason,
        ]
    });
    table([">#", "TIME", ">AFTER", "WHAT", "STATE", "BY", "WHY"], rows)
}

fn clock(time: DateTime<Utc>) -> String {
    time.format("%H:%M:%S%.3f").to_string()
}

fn since(start: Option<DateTime<Utc>>, time: Option<&prost_types::Timestamp>) -> String {
    let Some((start, time)) = start.zip(show::moment(time)) else {
        return String::new();
    };
    let millis = (time - start).num_milliseconds();
    match millis {
        ..10_000 => format!("{millis} ms"),
        10_000..600_000 => format!("{} s", millis / 1000),
        _ => format!("{} min", millis / 60_000),
    }
}

/// `PENDING → CONFIRMED`, or the one state when it did not change.
fn step(event: &pb::OrderEvent) -> String {
    let (from, to) = (show::order_state(event.from), show::order_state(event.to));
    if event.from() == pb::OrderState::Unspecified || event.from == event.to {
        to.to_owned()
    } else {
        format!("{from} → {to}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(
        sequence: i64,
        millis: i64,
        from: pb::OrderState,
        to: pb::OrderState,
    ) -> pb::OrderEvent {
        pb::OrderEvent {
            sequence,
            kind: format!("kind_{sequence}"),
            from: from.into(),
            to: to.into(),
            actor: "saga".to_owned(),
            time: DateTime::from_timestamp_millis(1_700_000_000_000 + millis)
                .map(api::to_timestamp),
            ..pb::OrderEvent::default()
        }
    }

    #[test]
    fn a_story_tells_times_and_steps() {
        use pb::OrderState::{Confirmed, Pending, Unspecified};
        let story = pb::GetOrderTimelineResponse {
            order: Some(pb::Order {
                id: "o1".to_owned(),
                customer_id: "alice".to_owned(),
                state: Confirmed.into(),
                payment_state: pb::OrderPaymentState::Captured.into(),
                ..pb::Order::default()
            }),
            events: vec![
                event(1, 0, Unspecified, Pending),
                event(2, 42, Pending, Confirmed),
                event(3, 61_000, Confirmed, Confirmed),
            ],
            ..pb::GetOrderTimelineResponse::default()
        };
        let text = tell(&story);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1], "now CONFIRMED, payment CAPTURED");
        assert_eq!(
            lines[4],
            "1  22:13:20.000   0 ms  kind_1  PENDING              saga"
        );
        assert_eq!(
            lines[5],
            "2  22:13:20.042  42 ms  kind_2  PENDING → CONFIRMED  saga"
        );
        assert_eq!(
            lines[6],
            "3  22:14:21.000   61 s  kind_3  CONFIRMED            saga"
        );
    }
}
