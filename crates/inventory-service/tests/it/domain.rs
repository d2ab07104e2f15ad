//! The rules alone: whatever is asked, the invariants hold.

use std::collections::BTreeMap;

use inventory_service::domain::{Spot, State, Stockroom};
use proptest::prelude::*;

use crate::ops::{ON_HAND, apply, ops, stockroom};

/// What reservations hold and have committed at each spot.
fn promised(room: &Stockroom) -> BTreeMap<Spot, (i64, i64)> {
    let mut promised: BTreeMap<Spot, (i64, i64)> = BTreeMap::new();
    for reservation in room.reservations.values() {
        for line in &reservation.lines {
            let Some(spot) = line.spot() else { continue };
            let counts = promised.entry(spot).or_default();
            match reservation.state {
                State::Held { .. } => counts.0 += line.open(),
                State::Committed => counts.1 += line.open(),
                _ => {}
            }
        }
    }
    promised
}

fn check(room: &Stockroom) -> Result<(), TestCaseError> {
    let promised = promised(room);
    for level in room.levels.values().flat_map(BTreeMap::values) {
        prop_assert!(level.is_sound(), "S1: {level:?}");
        let expected = promised.get(&level.spot()).copied().unwrap_or_default();
        prop_assert_eq!((level.held, level.committed), expected, "S2");
        let moved: i64 = room
            .changes
            .movements
            .iter()
            .filter(|one| one.sku == level.sku && one.location_id == level.location_id)
            .map(|one| one.delta)
            .sum();
        prop_assert_eq!(level.on_hand, ON_HAND + moved, "S3");
    }
    for reservation in room.reservations.values() {
        let is_fulfilled = reservation.lines.iter().all(|line| line.open() == 0);
        if reservation.state == State::Fulfilled {
            prop_assert!(is_fulfilled);
        }
        if reservation.state == State::Tombstone {
            prop_assert!(reservation.lines.is_empty(), "S5");
        }
        for line in &reservation.lines {
            prop_assert!(
                line.quantity > 0 && line.open() >= 0 && line.out() >= 0,
                "S6"
            );
        }
    }
    for (order_id, reservation) in &room.reservations {
        let told = room
            .changes
            .events
            .iter()
            .filter(|event| event.order_id == *order_id);
        let sequences: Vec<i64> = told.map(|event| event.sequence).collect();
        prop_assert_eq!(sequences, (1..=reservation.events).collect::<Vec<_>>());
    }
    prop_assert!(!room.is_incomplete, "everything was loaded");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn whatever_is_asked_the_invariants_hold_and_a_refusal_changes_nothing(ops in ops(60)) {
        let mut room = stockroom();
        for op in &ops {
            let mut before = room.clone();
            let said = apply(&mut room, op);
            check(&room)?;
            if said.is_err() {
                before.now = room.now;
                prop_assert_eq!(&room, &before, "{:?} was refused and changed something", op);
            }
        }
    }

    #[test]
    fn asking_again_for_what_was_done_changes_nothing(ops in ops(40)) {
        let mut room = stockroom();
        for op in &ops {
            let first = apply(&mut room, op);
            if repeats(op) && first.is_ok() {
                let mut before = room.clone();
                let again = apply(&mut room, op);
                before.now = room.now;
                prop_assert_eq!(&again, &first, "{:?}", op);
                prop_assert_eq!(&room, &before, "{:?}", op);
            }
        }
    }
}

/// Verbs that lead to a state, so that asking twice is asking once.
fn repeats(op: &crate::ops::Op) -> bool {
    use crate::ops::Op;
    matches!(
        op,
        Op::Reserve { .. }
            | Op::Commit(_)
            | Op::Release(_)
            | Op::Fulfill { .. }
            | Op::Return { .. }
    )
}
