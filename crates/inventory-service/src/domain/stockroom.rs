//! The part of the stock that one slice of calls touches.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use types::{LocationId, OrderId, Sku};

use super::{
    changes::{Applied, Changes, Event, EventKind, LinesTouched},
    item::Item,
    level::{Level, Spot},
    movement::{Cause, Movement},
    refusal::Refusal,
    reservation::{Reservation, State},
};

/// Loaded under locks, changed by the verbs, written back as a whole. What is
/// absent from it does not exist, or is none of this slice's business.
#[derive(Debug, Clone, PartialEq)]
pub struct Stockroom {
    /// The database's time at the start of the transaction.
    pub now: DateTime<Utc>,
    pub items: BTreeMap<Sku, Item>,
    pub locations: BTreeSet<LocationId>,
    pub levels: BTreeMap<Sku, BTreeMap<LocationId, Level>>,
    pub reservations: BTreeMap<OrderId, Reservation>,
    /// Of the shipments and returns that the slice names, those already done.
    pub applied: BTreeSet<Applied>,
    pub changes: Changes,
    /// Something that a decision needs was not loaded: nothing here may be
    /// written, and the slice must be decided anew.
    pub is_incomplete: bool,
}

/// How the open units of a reservation are counted on its levels.
#[derive(Debug, Clone, Copy)]
pub(super) enum Counted {
    Held,
    Committed,
    Nowhere,
}

impl Stockroom {
    pub fn new(now: DateTime<Utc>) -> Self {
        Self {
            now,
            items: BTreeMap::new(),
            locations: BTreeSet::new(),
            levels: BTreeMap::new(),
            reservations: BTreeMap::new(),
            applied: BTreeSet::new(),
            changes: Changes::default(),
            is_incomplete: false,
        }
    }

    pub(super) fn reservation(&self, order_id: OrderId) -> Result<&Reservation, Refusal> {
        self.reservations
            .get(&order_id)
            .ok_or(Refusal::ReservationNotFound(order_id))
    }

    pub fn level(&self, spot: &Spot) -> Option<&Level> {
        self.levels.get(&spot.0)?.get(&spot.1)
    }

    pub fn add_level(&mut self, level: Level) {
        let at_sku = self.levels.entry(level.sku.clone()).or_default();
        at_sku.insert(level.location_id.clone(), level);
    }

    /// A copy of the reservation as it stands now.
    pub(super) fn answer(&self, order_id: OrderId) -> Result<Reservation, Refusal> {
        self.reservation(order_id).cloned()
    }

    /// Changes a reservation, and its version with it.
    pub(super) fn change_reservation(
        &mut self,
        order_id: OrderId,
        lines: LinesTouched,
        change: impl FnOnce(&mut Reservation),
    ) {
        let Some(reservation) = self.reservations.get_mut(&order_id) else {
            return;
        };
        change(reservation);
        reservation.version += 1;
        let touched = self.changes.reservations.entry(order_id).or_default();
        touched.lines = touched.lines.max(lines);
    }

    pub(super) fn add_reservation(&mut self, reservation: Reservation) {
        let touched = self
            .changes
            .reservations
            .entry(reservation.order_id)
            .or_default();
        touched.is_new = true;
        touched.lines = LinesTouched::Replaced;
        self.reservations.insert(reservation.order_id, reservation);
    }

    /// Moves a reservation to another state, and its open units with it.
    pub(super) fn change_state(&mut self, order_id: OrderId, to: State) {
        let Some(reservation) = self.reservations.get(&order_id) else {
            return;
        };
        let (from, lines) = (reservation.state, reservation.lines.clone());
        for line in &lines {
            self.recount(line.spot(), line.open(), counted(from), counted(to));
        }
        self.change_reservation(order_id, LinesTouched::No, |reservation| {
            reservation.state = to;
        });
    }

    /// Moves promised units on one level from one column to another.
    pub(super) fn recount(&mut self, spot: Option<Spot>, units: i64, from: Counted, to: Counted) {
        let Some(spot) = spot else { return };
        if units == 0 || matches!((from, to), (Counted::Nowhere, Counted::Nowhere)) {
            return;
        }
        self.change_level(&spot, |level| {
            count(level, from, -units);
            count(level, to, units);
        });
    }

    /// Changes a level, and its version with it.
    pub(super) fn change_level(&mut self, spot: &Spot, change: impl FnOnce(&mut Level)) {
        let at_sku = self.levels.get_mut(&spot.0);
        let Some(level) = at_sku.and_then(|levels| levels.get_mut(&spot.1)) else {
            self.is_incomplete = true;
            return;
        };
        change(level);
        level.version += 1;
        debug_assert!(level.is_sound(), "{level:?}");
        self.changes.levels.insert(spot.clone());
    }

    /// Records that stock on hand has changed; the level already has.
    pub(super) fn record_movement(&mut self, spot: &Spot, delta: i64, cause: Cause) {
        let Some(level) = self.level(spot) else {
            return;
        };
        let movement = Movement {
            sku: level.sku.clone(),
            location_id: level.location_id.clone(),
            delta,
            on_hand_after: level.on_hand,
            cause,
        };
        self.changes.movements.push(movement);
    }

    /// Tells other services of a change that was just made to the reservation.
    pub(super) fn emit(&mut self, order_id: OrderId, kind: EventKind) {
        if let Some(reservation) = self.reservations.get_mut(&order_id) {
            reservation.events += 1;
            self.changes.events.push(Event {
                order_id,
                sequence: reservation.events,
                kind,
            });
        }
    }

    /// False when it was done before.
    pub(super) fn apply_once(&mut self, applied: Applied) -> bool {
        let is_first = self.applied.insert(applied);
        if is_first {
            self.changes.applied.push(applied);
        }
        is_first
    }
}

pub(super) fn counted(state: State) -> Counted {
    match state {
        State::Held { .. } => Counted::Held,
        State::Committed => Counted::Committed,
        State::Fulfilled | State::Expired | State::Released | State::Tombstone => Counted::Nowhere,
    }
}

fn count(level: &mut Level, counted: Counted, units: i64) {
    match counted {
        Counted::Held => level.held += units,
        Counted::Committed => level.committed += units,
        Counted::Nowhere => {}
    }
}
