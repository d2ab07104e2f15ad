//! What clients were told is so.

use std::collections::{HashMap, HashSet};

use super::books_orders::{
    CANCELLED, DONE, FAILED, NEEDS_ATTENTION, OrderRow, REFUND, REJECTED, RETURN, SHIPMENT,
    WorkRow, state_name,
};
use super::books_stock::ADJUST;
use super::check::Check;
use super::evidence::Evidence;
use crate::history::{Asked, CURRENCY, Entry, NewOrder, OrderSeen, Told, WorkSeen};

pub fn checks(evidence: &Evidence<'_>) -> Vec<Check> {
    vec![
        orders(evidence),
        rejections(evidence),
        confirmations(evidence),
        cancels(evidence),
        works(
            evidence,
            "acknowledged-shipments",
            "every shipment that a client was told of is in the books as it was asked for",
            SHIPMENT,
        ),
        works(
            evidence,
            "acknowledged-returns",
            "every return that a client was told of is in the books as it was asked for",
            RETURN,
        ),
        works(
            evidence,
            "acknowledged-refunds",
            "every refund that a client was told of is in the books as it was asked for",
            REFUND,
        ),
        adjustments(evidence),
        watchers(evidence),
    ]
}

/// Entries that made an order and were told so, with what they asked for.
fn created<'a>(
    evidence: &'a Evidence<'_>,
) -> impl Iterator<Item = (&'a Entry, &'a NewOrder, &'a OrderSeen)> {
    evidence.history.entries.iter().filter_map(|entry| {
        let Asked::Create(asked) = &entry.asked else {
            return None;
        };
        Some((entry, asked, entry.order_seen()?))
    })
}

fn orders(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "acknowledged-orders",
        "every order that a client was told of is there, with its lines and its total",
    );
    for (entry, asked, seen) in created(evidence) {
        check.looked();
        let id = Some(seen.id.as_str());
        let Some(order) = evidence.orders.orders.get(&seen.id) else {
            check.broken(id, format!("it is lost; key {}", entry.key));
            continue;
        };
        if let Some(difference) = difference(evidence, entry, asked, seen, order) {
            check.broken(id, difference);
        }
    }
    check
}

/// How an order differs from what was asked for and told.
fn difference(
    evidence: &Evidence<'_>,
    entry: &Entry,
    asked: &NewOrder,
    seen: &OrderSeen,
    order: &OrderRow,
) -> Option<String> {
    let head = (
        order.reference.as_str(),
        order.customer_id.as_str(),
        order.currency.as_str(),
        order.payment_method.as_str(),
        order.capture_method == 2,
    );
    let wanted = (
        entry.key.as_str(),
        asked.customer.as_str(),
        CURRENCY,
        asked.payment_method.as_str(),
        asked.manual_capture,
    );
    if head != wanted {
        return Some(format!("it is {head:?} and was asked for as {wanted:?}"));
    }
    let prices = &evidence.history.prices;
    let mut total_minor = 0;
    let lines = evidence.orders.lines(&order.id);
    let mut differs = lines.len() != asked.lines.len() || seen.lines != asked.lines;
    for (number, (line, wanted)) in (1..).zip(lines.iter().zip(&asked.lines)) {
        let price = prices.get(&wanted.sku).copied().unwrap_or(0);
        total_minor += price * wanted.quantity;
        differs |= (line.number, &line.sku, line.quantity)
            != (number, &wanted.sku, wanted.quantity)
            || line.unit_price_minor.is_some_and(|stored| stored != price);
    }
    if differs {
        return Some(format!(
            "its lines are {lines:?}, asked for {:?}",
            asked.lines
        ));
    }
    // An order that was turned back before it had a price has none.
    let priced = order.total_minor.is_some() || !order.is_dead();
    let right = |total: Option<i64>| total.is_none_or(|total| total == total_minor);
    if !priced || right(order.total_minor) && right(seen.total_minor) {
        return None;
    }
    let (stored, told) = (order.total_minor, seen.total_minor);
    Some(format!(
        "its total is {stored:?}, told {told:?}, and should be {total_minor}"
    ))
}

fn rejections(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "rejected-orders",
        "an order whose client was told of its rejection has ended without a sale",
    );
    for entry in &evidence.history.entries {
        let (Asked::Create(_), Told::Refused { order, reason, .. }) = (&entry.asked, &entry.told)
        else {
            continue;
        };
        let Some(id) = order else { continue };
        check.looked();
        let state = evidence.orders.orders.get(id).map(|order| order.state);
        let ended = matches!(state, Some(REJECTED | CANCELLED | NEEDS_ATTENTION));
        check.expect(ended, Some(id), || {
            let state = state.map_or("not there", state_name);
            format!("told {reason}, and it is {state}")
        });
    }
    check
}

fn confirmations(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "confirmed-stays-confirmed",
        "an order that was told to be confirmed is undone only when somebody cancels it or its \
         money cannot be captured",
    );
    let cancels = evidence.history.cancels();
    for (_, asked, seen) in created(evidence).filter(|(.., seen)| seen.state == "CONFIRMED") {
        check.looked();
        let Some(order) = evidence.orders.orders.get(&seen.id) else {
            continue; // counted by acknowledged-orders
        };
        let may_be_undone = cancels.contains(seen.id.as_str())
            || (order.reason_code == "CAPTURE_REFUSED"
                && asked.payment_method == "pm_sim_capture_fails");
        let stands = order.is_confirmed() || order.state == NEEDS_ATTENTION;
        let stands = stands || (order.state == CANCELLED && may_be_undone);
        check.expect(stands, Some(&seen.id), || {
            let (state, reason) = (state_name(order.state), &order.reason_code);
            format!("it is {state}, reason {reason}")
        });
    }
    check
}

fn cancels(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "acknowledged-cancels",
        "every order whose cancellation a client was told of is cancelled",
    );
    for entry in &evidence.history.entries {
        let (Asked::Cancel { order: id }, true) = (&entry.asked, entry.told.is_ok()) else {
            continue;
        };
        check.looked();
        let state = evidence.orders.orders.get(id).map(|order| order.state);
        check.expect(state == Some(CANCELLED), Some(id), || {
            format!("it is {}", state.map_or("not there", state_name))
        });
    }
    check
}

fn works(evidence: &Evidence<'_>, name: &'static str, says: &'static str, kind: i16) -> Check {
    let mut check = Check::new(name, says);
    for entry in &evidence.history.entries {
        let Some(seen) = entry.work_seen() else {
            continue;
        };
        let of_kind = match &entry.asked {
            Asked::Fulfil { .. } => SHIPMENT,
            Asked::AnnounceReturn { .. } | Asked::ReceiveReturn { .. } => RETURN,
            _ => REFUND,
        };
        if of_kind != kind {
            continue;
        }
        check.looked();
        let id = Some(seen.order.as_str());
        match evidence.orders.works.get(&seen.id) {
            None => check.broken(id, format!("{} {} is lost", entry.asked.name(), seen.id)),
            Some(work) => {
                let right = stands(evidence, entry, seen, work, kind);
                check.expect(right, id, || {
                    let lines = evidence.orders.work_lines(&work.id);
                    let told = entry.told.words();
                    format!("{:?}, {told}; it is {work:?} of {lines:?}", entry.asked)
                });
            }
        }
    }
    check
}

/// Whether a work is what was asked for, and as far as was told.
fn stands(
    evidence: &Evidence<'_>,
    entry: &Entry,
    seen: &WorkSeen,
    work: &WorkRow,
    kind: i16,
) -> bool {
    let order = evidence.orders.orders.get(&work.order_id);
    let stopped = order.is_some_and(|order| order.state == NEEDS_ATTENTION);
    let far_enough = match seen.state.as_str() {
        "DONE" => work.state == DONE,
        "REQUESTED" => true,
        "RUNNING" => matches!(work.state, DONE | FAILED) || stopped,
        _ => false,
    };
    let asked_order = entry.asked.order();
    let right = work.kind == kind && asked_order == Some(&work.order_id) && far_enough;
    let lines = match &entry.asked {
        Asked::Fulfil { lines, .. } | Asked::AnnounceReturn { lines, .. } => lines.as_slice(),
        _ => &[],
    };
    let lines: Vec<(i32, i64)> = lines.iter().map(|l| (l.line, l.quantity)).collect();
    let same_lines = lines.is_empty() || evidence.orders.work_lines(&work.id) == lines;
    let same_amount = match &entry.asked {
        Asked::Refund { amount_minor, .. } => {
            work.amount_minor == Some(*amount_minor) && seen.amount_minor == Some(*amount_minor)
        }
        Asked::ReceiveReturn { .. } => work.amount_minor == seen.amount_minor,
        _ => true,
    };
    right && same_lines && same_amount
}

fn adjustments(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "acknowledged-adjustments",
        "every adjustment of stock that a client was told of moved stock once, and none that was \
         refused did",
    );
    let mut moved: HashMap<&str, Vec<(&str, i64)>> = HashMap::new();
    let movements = &evidence.stock.movements;
    for movement in movements.iter().filter(|movement| movement.kind == ADJUST) {
        let of_key = moved.entry(&movement.reason).or_default();
        of_key.push((&movement.sku, movement.delta));
    }
    let mut asked_for = HashSet::new();
    for (key, entries) in evidence.history.by_key() {
        let Asked::Adjust { sku, delta } = &entries[0].asked else {
            continue;
        };
        check.looked();
        asked_for.insert(key);
        let moves = moved.get(key).map_or(&[][..], Vec::as_slice);
        let right = moves.iter().all(|one| *one == (sku.as_str(), *delta));
        let told = |kind: fn(&Told) -> bool| entries.iter().any(|entry| kind(&entry.told));
        let times = if told(Told::is_ok) {
            1..=1
        } else if told(|told| matches!(told, Told::Unknown { .. })) {
            0..=1
        } else {
            0..=0
        };
        check.expect(right && times.contains(&moves.len()), None, || {
            let told: Vec<String> = entries.iter().map(|entry| entry.told.words()).collect();
            format!("{key}: {delta} of {sku}, told {told:?}, moved {moves:?}")
        });
    }
    for (key, moves) in moved.iter().filter(|(key, _)| !asked_for.contains(*key)) {
        check.broken(None, format!("nobody asked for {key}: {moves:?}"));
    }
    check
}

fn watchers(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "watched-events",
        "who follows an order or the stock sees what the books have, in order and without a gap",
    );
    for watched in &evidence.history.watched {
        let events = evidence.orders.events(&watched.order);
        for (at, (sequence, kind)) in watched.events.iter().enumerate() {
            check.looked();
            let right = events
                .get(at)
                .is_some_and(|event| (event.sequence, &event.kind) == (*sequence, kind));
            check.expect(right, Some(&watched.order), || {
                let booked: Vec<_> = events.iter().map(|e| (e.sequence, &e.kind)).collect();
                format!("saw {:?}, the books have {booked:?}", watched.events)
            });
        }
    }
    let booked = evidence.stock.movements.iter().map(|one| one.sequence);
    for (seen, booked) in evidence.history.movements.iter().zip(booked) {
        check.looked();
        if *seen != booked {
            check.broken(None, format!("saw movement {seen} in place of {booked}"));
            break;
        }
    }
    let (seen, booked) = (
        evidence.history.movements.len(),
        evidence.stock.movements.len(),
    );
    check.expect(seen <= booked, None, || {
        format!("saw {seen} movements of {booked}")
    });
    check
}
