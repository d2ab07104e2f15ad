//! One key, one effect, one answer.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::books_orders::{FAILED, REFUND, RETURN, SHIPMENT};
use super::check::Check;
use super::evidence::Evidence;
use crate::history::{Asked, Entry, Told};

pub fn checks(evidence: &Evidence<'_>) -> Vec<Check> {
    vec![
        one_order_for_a_key(evidence),
        same_answer(evidence),
        one_work_for_a_key(evidence),
    ]
}

fn one_order_for_a_key(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "one-order-for-a-key",
        "each key that orders were created with made one order at most, and no order came from \
         elsewhere",
    );
    let mut orders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for order in evidence.orders.orders.values() {
        orders.entry(&order.reference).or_default().push(&order.id);
    }
    let entries = evidence.history.entries.iter();
    let creates = entries.filter(|entry| matches!(entry.asked, Asked::Create(_)));
    let keys: HashSet<&str> = creates.map(|entry| entry.key.as_str()).collect();
    for (key, ids) in orders {
        check.looked();
        check.expect(ids.len() == 1, ids.first().copied(), || {
            format!("{key} made {ids:?}")
        });
        check.expect(keys.contains(key), ids.first().copied(), || {
            format!("nobody asked for it: {key:?}")
        });
    }
    check
}

fn same_answer(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "same-key-same-answer",
        "who asks again with the same key is told the same",
    );
    for (key, entries) in evidence.history.by_key() {
        let definite: Vec<&Entry> = entries
            .iter()
            .copied()
            .filter(|entry| essence(&entry.told).is_some())
            .collect();
        let [first, rest @ ..] = definite.as_slice() else {
            continue;
        };
        for again in rest {
            check.looked();
            let same = essence(&first.told) == essence(&again.told);
            check.expect(same, first.order().or(again.order()), || {
                let (first, again) = (&first.told, &again.told);
                format!("{key}: first {first:?}, then {again:?}")
            });
        }
    }
    check
}

/// What must not change; nothing when the outcome was not told.
fn essence(told: &Told) -> Option<(u64, &str, Option<&str>)> {
    match told {
        Told::Ok { fingerprint, .. } => Some((*fingerprint, "", None)),
        Told::Refused { reason, order, .. } => Some((0, reason, order.as_deref())),
        Told::Shed { .. } | Told::Unknown { .. } => None,
    }
}

/// Shipments, returns and refunds of each order: as many as there were keys
/// that may have made one.
fn one_work_for_a_key(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "one-work-for-a-key",
        "an order has no more shipments, returns and refunds than keys that asked for them",
    );
    let mut sure: HashMap<(&str, i16), i64> = HashMap::new();
    let mut most: HashMap<(&str, i16), i64> = HashMap::new();
    for entries in evidence.history.by_key().into_values() {
        let Some((order, kind)) = begins(&entries[0].asked) else {
            continue;
        };
        let told = |kind: fn(&Told) -> bool| entries.iter().any(|entry| kind(&entry.told));
        let is_sure = told(Told::is_ok);
        let may_be = is_sure || told(|told| matches!(told, Told::Unknown { .. }));
        *sure.entry((order, kind)).or_default() += i64::from(is_sure);
        *most.entry((order, kind)).or_default() += i64::from(may_be);
    }
    // One that was refused for good may have been told as a refusal.
    let mut works: HashMap<(&str, i16), i64> = HashMap::new();
    let mut all: HashMap<(&str, i16), i64> = HashMap::new();
    for work in evidence.orders.works.values() {
        let of = (work.order_id.as_str(), work.kind);
        *works.entry(of).or_default() += i64::from(work.state != FAILED);
        *all.entry(of).or_default() += 1;
    }
    for (of, count) in &works {
        check.looked();
        let most = most.get(of).copied().unwrap_or(0);
        let (order, kind) = of;
        check.expect(*count <= most, Some(order), || {
            format!("{count} works of kind {kind}, by {most} keys")
        });
    }
    for (of, count) in sure.iter().filter(|(_, count)| **count > 0) {
        let there = all.get(of).copied().unwrap_or(0);
        check.expect(there >= *count, Some(of.0), || {
            format!("{there} works of kind {}, and {count} were told", of.1)
        });
    }
    check
}

fn begins(asked: &Asked) -> Option<(&str, i16)> {
    match asked {
        Asked::Fulfil { order, .. } => Some((order, SHIPMENT)),
        Asked::AnnounceReturn { order, .. } => Some((order, RETURN)),
        Asked::Refund { order, .. } => Some((order, REFUND)),
        _ => None,
    }
}
