//! Goods that leave.

use std::collections::BTreeMap;

use types::{FulfillmentId, OrderId, Sku};

use super::{
    changes::{Applied, AppliedKind, LinesTouched},
    movement::{Cause, MovementKind},
    refusal::{Amiss, Refusal},
    reservation::{Line, Reservation, State},
    reserve::Demand,
    stockroom::Stockroom,
};

/// What Fulfill is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipment {
    pub order_id: OrderId,
    pub fulfillment_id: FulfillmentId,
    /// Empty: everything that is left.
    pub demand: Demand,
}

/// Units per line of the reservation.
pub(super) type Shares = Vec<(Line, i64)>;

impl Stockroom {
    pub fn fulfill(&mut self, shipment: &Shipment) -> Result<Reservation, Refusal> {
        let order_id = shipment.order_id;
        let reservation = self.reservation(order_id)?;
        let applied = Applied {
            order_id,
            kind: AppliedKind::Fulfillment,
            id: shipment.fulfillment_id.as_uuid(),
        };
        let is_done = reservation.state == State::Fulfilled && shipment.demand.is_empty();
        if self.applied.contains(&applied) || is_done {
            return self.answer(order_id);
        }
        check_may_ship(reservation)?;
        let shares = self.shares_to_ship(reservation, &shipment.demand)?;
        self.apply_once(applied);
        self.ship(order_id, &shares, &shipment.fulfillment_id.to_string());
        self.answer(order_id)
    }

    fn shares_to_ship(&self, from: &Reservation, demand: &Demand) -> Result<Shares, Refusal> {
        let open = |line: &Line| line.open();
        let wanted = match demand.is_empty() {
            true => per_sku(&from.lines, open),
            false => {
                let wanted = demand.iter().map(|(sku, units)| (sku.clone(), units));
                wanted.collect()
            }
        };
        check_within(from, &wanted, open)?;
        let mut shares = Shares::new();
        for (sku, units) in wanted {
            self.share_out(from, &sku, units, &mut shares)?;
        }
        Ok(shares)
    }

    /// Takes from each place of the SKU what is promised and on the shelf.
    /// Backordered units are promised before they are there.
    fn share_out(
        &self,
        from: &Reservation,
        sku: &Sku,
        units: i64,
        shares: &mut Shares,
    ) -> Result<(), Refusal> {
        let mut left = units;
        let mut lacking = None;
        for line in from.lines.iter().filter(|line| line.sku == *sku) {
            let there = match line.spot() {
                Some(spot) => self.level(&spot).map_or(0, |level| level.on_hand),
                None => i64::MAX,
            };
            let share = line.open().min(there).min(left);
            left -= share;
            if share > 0 {
                shares.push((line.clone(), share));
            }
            if share < line.open() {
                lacking = lacking.or_else(|| line.location_id.clone());
            }
        }
        match lacking {
            Some(location_id) if left > 0 => Err(Refusal::InsufficientStock {
                sku: sku.clone(),
                location_id,
                requested: units,
                available: units - left,
            }),
            _ => Ok(()),
        }
    }

    fn ship(&mut self, order_id: OrderId, shares: &Shares, reference: &str) {
        for (line, units) in shares {
            let Some(spot) = line.spot() else { continue };
            self.change_level(&spot, |level| {
                level.on_hand -= units;
                level.committed -= units;
            });
            let cause = Cause {
                kind: MovementKind::Fulfill,
                reference: reference.to_owned(),
                reason: String::new(),
            };
            self.record_movement(&spot, -units, cause);
        }
        self.change_reservation(order_id, LinesTouched::Counted, |reservation| {
            for (shipped, units) in shares {
                for line in reservation
                    .lines
                    .iter_mut()
                    .filter(|line| same(line, shipped))
                {
                    line.fulfilled += units;
                }
            }
            if reservation.lines.iter().all(|line| line.open() == 0) {
                reservation.state = State::Fulfilled;
            }
        });
    }
}

fn check_may_ship(reservation: &Reservation) -> Result<(), Refusal> {
    let order_id = reservation.order_id;
    match reservation.state {
        State::Committed | State::Fulfilled => Ok(()),
        State::Expired => Err(Refusal::ReservationExpired(order_id)),
        State::Released | State::Tombstone => Err(Refusal::ReservationReleased(order_id)),
        State::Held { .. } => Err(Refusal::IllegalTransition {
            order_id,
            from: reservation.state.name(),
            verb: "fulfilled",
        }),
    }
}

pub(super) fn same(left: &Line, right: &Line) -> bool {
    left.sku == right.sku && left.location_id == right.location_id
}

fn per_sku(lines: &[Line], units: impl Fn(&Line) -> i64) -> BTreeMap<Sku, i64> {
    let mut sums = BTreeMap::new();
    for line in lines {
        *sums.entry(line.sku.clone()).or_insert(0) += units(line);
    }
    sums
}

/// Refuses with every SKU of which more is wanted than `left` has.
pub(super) fn check_within(
    reservation: &Reservation,
    wanted: &BTreeMap<Sku, i64>,
    left: impl Fn(&Line) -> i64,
) -> Result<(), Refusal> {
    let left = per_sku(&reservation.lines, left);
    let lines: Vec<Amiss> = wanted
        .iter()
        .map(|(sku, requested)| Amiss {
            sku: sku.clone(),
            requested: *requested,
            available: left.get(sku).copied().unwrap_or(0),
        })
        .filter(|line| line.requested > line.available)
        .collect();
    match lines.is_empty() {
        true => Ok(()),
        false => Err(Refusal::ExceedsRemaining {
            order_id: reservation.order_id,
            lines,
        }),
    }
}
