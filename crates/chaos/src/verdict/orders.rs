//! The invariants of orders, over the books of all three services, without any
//! of their code.

use std::collections::{BTreeMap, HashMap};

use super::books_orders::{
    AWAITING_ACTION, CANCELLED, COMPENSATING, CONFIRMED, DONE, FULFILLED, NEEDS_ATTENTION,
    OrderRow, PARTIALLY_FULFILLED, PENDING, REJECTED, RETURN, SHIPMENT, state_name,
};
use super::books_stock as stock;
use super::check::Check;
use super::evidence::Evidence;

pub fn checks(evidence: &Evidence<'_>) -> Vec<Check> {
    vec![
        totals(evidence),
        covered(evidence),
        ended(evidence),
        events(evidence),
        lines_add_up(evidence),
    ]
}

fn totals(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "totals",
        "the total of an order is the sum of its lines at their prices (O1)",
    );
    for order in evidence.orders.orders.values() {
        check.looked();
        let lines = evidence.orders.lines(&order.id);
        let sum: Option<i64> = lines
            .iter()
            .map(|line| Some(line.unit_price_minor? * line.quantity))
            .sum();
        let right = !lines.is_empty() && (order.total_minor.is_none() || order.total_minor == sum);
        check.expect(right, Some(&order.id), || {
            format!("total {:?}, lines {lines:?}", order.total_minor)
        });
    }
    check
}

fn covered(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "confirmed-is-covered",
        "a confirmed order has its stock promised and its money held or taken (O2)",
    );
    for order in evidence.orders.orders.values().filter(|o| o.is_confirmed()) {
        check.looked();
        if let Err(why) = promised(evidence, order) {
            check.broken(Some(&order.id), why);
        }
        let live: Vec<_> = evidence
            .payments
            .of(&order.id)
            .filter(|payment| payment.is_live())
            .collect();
        let money: i64 = live
            .iter()
            .map(|payment| payment.held_minor() + payment.captured_minor)
            .sum();
        let right = live.len() == 1 && Some(money) == order.total_minor;
        check.expect(right, Some(&order.id), || {
            format!("total {:?}, payments {live:?}", order.total_minor)
        });
    }
    check
}

/// Whether what is promised to an order is what it ordered.
fn promised(evidence: &Evidence<'_>, order: &OrderRow) -> Result<(), String> {
    let state = evidence.stock.reservations.get(&order.id).map(|r| r.state);
    let Some(stock::COMMITTED | stock::FULFILLED) = state else {
        let state = state.map_or("not there", stock::state_name);
        return Err(format!("the reservation is {state}"));
    };
    let (mut ordered, mut reserved) = (BTreeMap::new(), BTreeMap::new());
    for line in evidence.orders.lines(&order.id) {
        let of = ordered.entry(line.sku.as_str()).or_insert((0, 0));
        *of = (of.0 + line.quantity, of.1 + line.fulfilled);
    }
    for line in evidence.stock.reserved(&order.id) {
        let of = reserved.entry(line.sku.as_str()).or_insert((0, 0));
        *of = (of.0 + line.quantity, of.1 + line.fulfilled);
    }
    match ordered == reserved {
        true => Ok(()),
        false => Err(format!(
            "ordered and shipped {ordered:?}, reserved and left {reserved:?}"
        )),
    }
}

fn ended(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "ended-keeps-nothing",
        "a rejected or cancelled order holds no stock and keeps no money (O3, O4)",
    );
    for order in evidence.orders.orders.values().filter(|o| o.is_dead()) {
        check.looked();
        let reservation = evidence.stock.reservations.get(&order.id);
        let free = reservation.is_none_or(|reservation| {
            matches!(
                reservation.state,
                stock::EXPIRED | stock::RELEASED | stock::TOMBSTONE
            )
        });
        check.expect(free, Some(&order.id), || format!("{reservation:?}"));
        for payment in evidence.payments.of(&order.id) {
            let open =
                payment.held_minor() + payment.capture_pending_minor + payment.refund_pending_minor;
            // Before it is captured, a live payment could still take money.
            let may_take = payment.is_live() && payment.captured_minor == 0;
            let right = payment.kept_minor() == 0 && open == 0 && !may_take;
            check.expect(right, Some(&order.id), || format!("{payment:?}"));
        }
    }
    check
}

fn events(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "order-events",
        "the events of an order are numbered 1 to n, lead from state to state as they may, and \
         end where the order is (O5)",
    );
    for order in evidence.orders.orders.values() {
        let events = evidence.orders.events(&order.id);
        let mut before = None;
        for (number, event) in (1..).zip(events) {
            check.looked();
            let right = event.sequence == number
                && event.from_state == before
                && is_legal(event.from_state, event.to_state);
            check.expect(right, Some(&order.id), || {
                format!("event {number} is {event:?}, after {before:?}")
            });
            before = Some(event.to_state);
        }
        check.expect(before == Some(order.state), Some(&order.id), || {
            let last = before.map_or("not there", state_name);
            format!("it is {}, its last event {last}", state_name(order.state))
        });
    }
    check
}

fn lines_add_up(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "lines-add-up",
        "what a line says has shipped and come back is what its shipments and returns say (O6)",
    );
    let mut worked: HashMap<(&str, i32), (i64, i64)> = HashMap::new();
    for work in evidence.orders.works.values() {
        for (line, units) in evidence.orders.work_lines(&work.id) {
            let of = worked.entry((&work.order_id, *line)).or_default();
            match (work.kind, work.state) {
                (SHIPMENT, DONE) => of.0 += units,
                // Counted when it is announced, and for good.
                (RETURN, _) => of.1 += units,
                _ => {}
            }
        }
    }
    for order in evidence.orders.orders.keys() {
        for line in evidence.orders.lines(order) {
            check.looked();
            let by_works = worked.remove(&(order.as_str(), line.number));
            let by_works = by_works.unwrap_or_default();
            let right = by_works == (line.fulfilled, line.returned)
                && line.returned <= line.fulfilled
                && line.fulfilled <= line.quantity;
            check.expect(right, Some(order), || {
                format!("{line:?}, by its works {by_works:?}")
            });
        }
    }
    for ((order, line), units) in worked {
        check.broken(Some(order), format!("no line {line}, and {units:?} of it"));
    }
    check
}

fn is_legal(from: Option<i16>, to: i16) -> bool {
    let Some(from) = from else {
        return to == PENDING;
    };
    if from == to {
        return true;
    }
    let next: &[i16] = match from {
        PENDING => &[AWAITING_ACTION, CONFIRMED, COMPENSATING, REJECTED],
        AWAITING_ACTION => &[CONFIRMED, COMPENSATING],
        CONFIRMED => &[PARTIALLY_FULFILLED, FULFILLED, COMPENSATING],
        PARTIALLY_FULFILLED => &[FULFILLED],
        COMPENSATING => &[CANCELLED, REJECTED],
        NEEDS_ATTENTION => &[
            PENDING,
            AWAITING_ACTION,
            CONFIRMED,
            PARTIALLY_FULFILLED,
            FULFILLED,
            COMPENSATING,
        ],
        _ => &[],
    };
    let may_stop = !matches!(from, CANCELLED | REJECTED);
    next.contains(&to) || (to == NEEDS_ATTENTION && may_stop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_order_stays_ended_and_a_shipped_one_shipped() {
        for ended in [CANCELLED, REJECTED] {
            for to in PENDING..=NEEDS_ATTENTION {
                assert_eq!(is_legal(Some(ended), to), to == ended);
            }
        }
        assert!(!is_legal(Some(FULFILLED), COMPENSATING));
        assert!(!is_legal(Some(PARTIALLY_FULFILLED), COMPENSATING));
        assert!(!is_legal(Some(CONFIRMED), REJECTED));
        assert!(!is_legal(None, CONFIRMED));
        assert!(is_legal(None, PENDING) && is_legal(Some(PENDING), CONFIRMED));
    }
}
