//! What happened to one order, from all books and from its clients, by time.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::books_orders::{REFUND, RETURN, SHIPMENT, state_name};
use super::books_stock;
use super::evidence::Evidence;

#[derive(Debug, Clone, Serialize)]
pub struct Timeline {
    pub order: String,
    /// One thing a line; what has no time of its own comes last.
    pub lines: Vec<String>,
}

pub fn of(evidence: &Evidence<'_>, order: &str) -> Timeline {
    let mut timed: Vec<(DateTime<Utc>, String)> = Vec::new();
    timed.extend(clients(evidence, order));
    timed.extend(events(evidence, order));
    timed.extend(works(evidence, order));
    timed.extend(payments(evidence, order));
    timed.extend(stock(evidence, order));
    timed.sort_by_key(|(at, _)| *at);
    let timed = timed
        .into_iter()
        .map(|(at, what)| format!("{}  {what}", at.format("%H:%M:%S%.3f")));
    Timeline {
        order: order.to_owned(),
        lines: timed.chain(standing(evidence, order)).collect(),
    }
}

type Timed = Vec<(DateTime<Utc>, String)>;

fn clients(evidence: &Evidence<'_>, order: &str) -> Timed {
    let entries = evidence.history.entries.iter();
    let of_order = entries.filter(|entry| entry.order() == Some(order));
    let told = of_order.flat_map(|entry| {
        let (name, key, tries) = (entry.asked.name(), &entry.key, entry.attempts);
        let again = if entry.repeat { " again" } else { "" };
        let told = entry.told.words();
        [
            (entry.sent, format!("client    {name}{again}, key {key}")),
            (
                entry.answered,
                format!("client    {name}, key {key}: {told}, after {tries} tries"),
            ),
        ]
    });
    told.collect()
}

fn events(evidence: &Evidence<'_>, order: &str) -> Timed {
    let events = evidence.orders.events(order).iter();
    let told = events.map(|event| {
        let (sequence, kind, actor) = (event.sequence, &event.kind, &event.actor);
        let (to, reason) = (state_name(event.to_state), &event.reason_code);
        (
            event.at,
            format!("order     {sequence} {kind} → {to} {reason} by {actor}"),
        )
    });
    told.collect()
}

fn works(evidence: &Evidence<'_>, order: &str) -> Timed {
    let works = evidence.orders.works.values();
    let told = works
        .filter(|work| work.order_id == order)
        .flat_map(|work| {
            let kind = match work.kind {
                SHIPMENT => "shipment",
                RETURN => "return",
                REFUND => "refund",
                _ => "work",
            };
            let lines = evidence.orders.work_lines(&work.id);
            let (id, state, amount) = (&work.id, work.state, work.amount_minor);
            let failure = &work.failure;
            let what = format!("{kind} {id} in state {state} {amount:?} {lines:?} {failure}");
            [
                (work.created_at, format!("order     {kind} {id} asked for")),
                (work.updated_at, format!("order     {what}")),
            ]
        });
    told.collect()
}

fn payments(evidence: &Evidence<'_>, order: &str) -> Timed {
    let mut told = Vec::new();
    for payment in evidence.payments.of(order) {
        let (attempt, state, id) = (payment.attempt, payment.state, &payment.id);
        let reference = payment.provider_reference.as_deref().unwrap_or("none");
        told.push((
            payment.created_at,
            format!("payment   attempt {attempt} {id} at the provider {reference}"),
        ));
        told.push((
            payment.updated_at,
            format!(
                "payment   attempt {attempt} last changed: state {state}, captured {}, refunded {}",
                payment.captured_minor, payment.refunded_minor
            ),
        ));
        let (captures, refunds) = (&evidence.payments.captures, &evidence.payments.refunds);
        for (name, of) in [("capture", captures), ("refund", refunds)] {
            for transfer in of.get(id).into_iter().flatten() {
                let (amount, state) = (transfer.amount_minor, transfer.state);
                let what = format!("payment   {name} {} {amount}, state {state}", transfer.id);
                told.push((transfer.created_at, what));
            }
        }
    }
    told
}

fn stock(evidence: &Evidence<'_>, order: &str) -> Timed {
    let reservation = evidence.stock.reservations.get(order);
    let told = reservation.map(|reservation| {
        let state = books_stock::state_name(reservation.state);
        let lines = evidence.stock.reserved(order).iter();
        let lines: Vec<_> = lines.map(|l| (&l.sku, l.quantity, l.fulfilled)).collect();
        let what = format!("stock     reserved, now {state}: {lines:?}");
        (reservation.created_at, what)
    });
    told.into_iter().collect()
}

fn standing(evidence: &Evidence<'_>, order: &str) -> Vec<String> {
    let mut lines = Vec::new();
    match evidence.orders.orders.get(order) {
        Some(row) => lines.push(format!("now           order     {row:?}")),
        None => lines.push("now           order     not there".to_owned()),
    }
    let intents = evidence.provider.intents.values();
    for intent in intents.filter(|intent| intent.order() == Some(order)) {
        let refunds = evidence.provider.refunds(&intent.id);
        lines.push(format!("now           provider  {intent:?} {refunds:?}"));
    }
    lines
}
