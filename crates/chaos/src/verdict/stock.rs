//! The invariants of stock, and that what was sold was there.

use std::collections::{BTreeMap, HashMap};

use super::books_orders::{DONE, FAILED, NEEDS_ATTENTION, RETURN, RUNNING, SHIPMENT};
use super::books_stock::{ADJUST, COMMITTED, FULFILLED, HELD, TOMBSTONE};
use super::check::Check;
use super::evidence::Evidence;

pub fn checks(evidence: &Evidence<'_>) -> Vec<Check> {
    vec![
        levels(evidence),
        movements(evidence),
        reservations(evidence),
        sold_was_there(evidence),
        adds_up(evidence),
    ]
}

fn levels(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "stock-levels",
        "no level is negative or promises more than it may, and what is held and committed is \
         what the reservations say (S1, S2)",
    );
    let mut promised: HashMap<(&str, &str), (i64, i64)> = HashMap::new();
    for reservation in evidence.stock.reservations.values() {
        for line in evidence.stock.reserved(&reservation.order_id) {
            let of = promised.entry((&line.sku, &line.location_id)).or_default();
            match reservation.state {
                HELD => of.0 += line.quantity,
                COMMITTED => of.1 += line.quantity - line.fulfilled,
                _ => {}
            }
        }
    }
    for level in &evidence.stock.levels {
        check.looked();
        let place = (level.sku.as_str(), level.location_id.as_str());
        let by_lines = promised.remove(&place).unwrap_or_default();
        let right = level.on_hand >= 0
            && level.held >= 0
            && level.committed >= 0
            && level.held + level.committed <= level.on_hand + level.backorder_limit
            && by_lines == (level.held, level.committed);
        check.expect(right, None, || {
            format!("{level:?}, by its reservations {by_lines:?}")
        });
    }
    for (place, by_lines) in promised.into_iter().filter(|(_, sums)| *sums != (0, 0)) {
        check.broken(
            None,
            format!("{place:?} has no level, and promises {by_lines:?}"),
        );
    }
    check
}

fn movements(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "stock-movements",
        "what is on hand is the sum of its movements, each of which says so (S3)",
    );
    let mut sums: HashMap<(&str, &str), i64> = HashMap::new();
    for movement in &evidence.stock.movements {
        check.looked();
        let place = (movement.sku.as_str(), movement.location_id.as_str());
        let sum = sums.entry(place).or_default();
        *sum += movement.delta;
        check.expect(*sum == movement.on_hand_after, None, || {
            format!("{movement:?}, by its sum {sum}")
        });
    }
    for level in &evidence.stock.levels {
        let place = (level.sku.as_str(), level.location_id.as_str());
        let sum = sums.get(&place).copied().unwrap_or(0);
        check.expect(sum == level.on_hand, None, || {
            format!("{level:?}, by its movements {sum}")
        });
    }
    check
}

fn reservations(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "reservations",
        "no hold is overdue, a tombstone holds nothing, no more has left than was reserved, and \
         no reservation is without an order (S4, S5, S6)",
    );
    for reservation in evidence.stock.reservations.values() {
        check.looked();
        let id = reservation.order_id.as_str();
        let lines = evidence.stock.reserved(id);
        let overdue = reservation.overdue_s.is_some_and(|overdue| overdue > 5.0);
        let in_bounds = lines.iter().all(|line| {
            (0..=line.quantity).contains(&line.fulfilled)
                && (0..=line.fulfilled).contains(&line.returned)
        });
        let all_left = lines.iter().all(|line| line.fulfilled == line.quantity);
        let right = !overdue
            && in_bounds
            && (reservation.state != TOMBSTONE || lines.is_empty())
            && (reservation.state != FULFILLED || all_left);
        check.expect(right, Some(id), || format!("{reservation:?} of {lines:?}"));
        let known = evidence.orders.orders.contains_key(id);
        check.expect(known, Some(id), || "a reservation of no order".to_owned());
    }
    check
}

/// Units by SKU.
type Units<'a> = BTreeMap<&'a str, i64>;

/// What came in: the opening stock, adjustments that clients asked for, and
/// goods that came back.
fn came_in<'a>(evidence: &'a Evidence<'_>) -> Units<'a> {
    let opening = evidence.history.opening.iter();
    let mut units: Units<'_> = opening.map(|(sku, units)| (sku.as_str(), *units)).collect();
    let movements = evidence.stock.movements.iter();
    for movement in movements.filter(|movement| movement.kind == ADJUST) {
        *units.entry(&movement.sku).or_default() += movement.delta;
    }
    let works = evidence.orders.works.values();
    for work in works.filter(|work| work.kind == RETURN && work.state == DONE && work.restock) {
        for (sku, back) in evidence.orders.work_units(work) {
            *units.entry(sku).or_default() += back;
        }
    }
    units
}

fn sold_was_there(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "nothing-oversold",
        "confirmed orders together have no more of anything than there ever was",
    );
    let there = came_in(evidence);
    let mut sold: Units<'_> = Units::new();
    for order in evidence.orders.orders.values().filter(|o| o.is_confirmed()) {
        for line in evidence.orders.lines(&order.id) {
            check.looked();
            *sold.entry(&line.sku).or_default() += line.quantity;
        }
    }
    let mut scarce = Vec::new();
    for (sku, sold) in sold {
        let there = there.get(sku).copied().unwrap_or(0);
        check.expect(sold <= there, None, || {
            format!("{sku}: sold {sold} of {there}")
        });
        if sold * 10 >= there * 9 {
            scarce.push(format!("{sold} of {there} {sku}"));
        }
    }
    check.remark = Some(format!("nearly sold out: {}", scarce.join(", ")));
    check
}

fn adds_up(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "stock-adds-up",
        "what is on hand is what there was and came in, less what the orders have shipped",
    );
    let mut expected = came_in(evidence);
    // What orders that a person has to look at were about to ship or take back,
    // and goods that are back although their money was refused.
    let mut open: Units<'_> = Units::new();
    for work in evidence.orders.works.values() {
        let order = evidence.orders.orders.get(&work.order_id);
        let stopped = order.is_some_and(|order| order.state == NEEDS_ATTENTION);
        for (sku, units) in evidence.orders.work_units(work) {
            if work.kind == SHIPMENT && work.state == DONE {
                *expected.entry(sku).or_default() -= units;
            }
            let unpaid = work.kind == RETURN && work.state == FAILED && work.restock;
            if unpaid || (work.state == RUNNING && stopped) {
                *open.entry(sku).or_default() += units;
            }
        }
    }
    let mut on_hand: Units<'_> = Units::new();
    for level in &evidence.stock.levels {
        *on_hand.entry(&level.sku).or_default() += level.on_hand;
    }
    for (sku, expected) in expected {
        check.looked();
        let (on_hand, open) = (
            on_hand.get(sku).copied().unwrap_or(0),
            open.get(sku).copied().unwrap_or(0),
        );
        check.expect((on_hand - expected).abs() <= open, None, || {
            format!("{sku}: {on_hand} on hand, {expected} by the orders")
        });
    }
    check
}
