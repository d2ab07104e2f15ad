//! Correcting what is on hand, if need be at the cost of promises.

use std::cmp::Reverse;

use types::{LocationId, OrderId, Sku};

use super::{
    changes::EventKind,
    level::{Level, Spot},
    movement::{Cause, MovementKind},
    refusal::Refusal,
    reservation::{Reservation, State},
    stockroom::Stockroom,
};

/// What AdjustStock or SetStock is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    pub sku: Sku,
    pub location_id: LocationId,
    pub target: Target,
    pub reason: String,
    /// Break promises if need be.
    pub force: bool,
    /// Only if this is the level's version.
    pub version: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Change by signed units.
    By(i64),
    To {
        on_hand: i64,
        /// `None`: unchanged.
        safety_stock: Option<i64>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjusted {
    pub level: Level,
    /// Orders whose promise was broken.
    pub shortfall: Vec<OrderId>,
}

/// Why a reservation was released that nobody gave up.
const SHORTFALL: &str = "shortfall";

impl Adjustment {
    pub fn spot(&self) -> Spot {
        (self.sku.clone(), self.location_id.clone())
    }
}

impl Stockroom {
    pub fn adjust(&mut self, adjustment: &Adjustment) -> Result<Adjusted, Refusal> {
        let spot = adjustment.spot();
        let level = self.level_to_adjust(adjustment)?;
        let (on_hand, safety_stock) = aim(&level, adjustment.target)?;
        let lacking = level.promised() - on_hand - level.backorder_limit;
        let mut shortfall = Vec::new();
        if lacking > 0 {
            if !adjustment.force {
                return Err(Refusal::StockCommitted {
                    promised: level.promised(),
                    sku: level.sku,
                    location_id: level.location_id,
                });
            }
            shortfall = self.break_promises(&spot, lacking);
        }
        let delta = on_hand - level.on_hand;
        // A level that is set for the first time is kept, also at nothing.
        let is_change = delta != 0 || safety_stock != level.safety_stock || level.version == 0;
        if is_change && !self.is_incomplete {
            self.change_level(&spot, |level| {
                level.on_hand = on_hand;
                level.safety_stock = safety_stock;
            });
        }
        if delta != 0 {
            self.record_movement(&spot, delta, cause(adjustment));
        }
        let level = self.level(&spot).cloned().unwrap_or(level);
        Ok(Adjusted { level, shortfall })
    }

    fn level_to_adjust(&self, adjustment: &Adjustment) -> Result<Level, Refusal> {
        if !self.items.contains_key(&adjustment.sku) {
            let skus = vec![adjustment.sku.clone()];
            return Err(Refusal::UnknownSku { skus });
        }
        if !self.locations.contains(&adjustment.location_id) {
            return Err(Refusal::UnknownLocation(adjustment.location_id.clone()));
        }
        let level = self.level(&adjustment.spot());
        if let Some(version) = adjustment.version
            && level.is_none_or(|level| level.version != version)
        {
            return Err(Refusal::EtagMismatch {
                kind: "stock level",
                name: format!("{} at {}", adjustment.sku, adjustment.location_id),
            });
        }
        match level {
            Some(level) => Ok(level.clone()),
            // Rows are made for whatever may add stock, so this one takes some.
            None => Err(Refusal::InsufficientStock {
                sku: adjustment.sku.clone(),
                location_id: adjustment.location_id.clone(),
                requested: match adjustment.target {
                    Target::By(delta) => delta.saturating_neg(),
                    Target::To { .. } => 0,
                },
                available: 0,
            }),
        }
    }

    /// Releases whole reservations until `lacking` units at `spot` are free:
    /// holds first, then the newest promises.
    fn break_promises(&mut self, spot: &Spot, lacking: i64) -> Vec<OrderId> {
        let mut victims: Vec<(bool, Reverse<_>, OrderId, i64)> = self
            .reservations
            .values()
            .filter(|reservation| reservation.is_live())
            .map(|reservation| {
                let is_committed = reservation.state == State::Committed;
                let newest = Reverse((reservation.created_at, reservation.order_id));
                let units = promised_at(reservation, spot);
                (is_committed, newest, reservation.order_id, units)
            })
            .filter(|(.., units)| *units > 0)
            .collect();
        victims.sort_unstable();
        let (mut freed, mut broken) = (0, Vec::new());
        for (_, _, order_id, units) in victims {
            if freed >= lacking {
                break;
            }
            freed += units;
            self.give_back(order_id, SHORTFALL);
            self.emit(order_id, shortfall(spot, units));
            broken.push(order_id);
        }
        // Others have promised meanwhile what was not loaded with the rest.
        self.is_incomplete |= freed < lacking;
        broken
    }
}

fn aim(level: &Level, target: Target) -> Result<(i64, i64), Refusal> {
    let (on_hand, safety_stock) = match target {
        Target::By(delta) => (level.on_hand + delta, None),
        Target::To {
            on_hand,
            safety_stock,
        } => (on_hand, safety_stock),
    };
    if on_hand < 0 {
        return Err(Refusal::InsufficientStock {
            sku: level.sku.clone(),
            location_id: level.location_id.clone(),
            requested: level.on_hand - on_hand,
            available: level.on_hand,
        });
    }
    Ok((on_hand, safety_stock.unwrap_or(level.safety_stock)))
}

fn promised_at(reservation: &Reservation, spot: &Spot) -> i64 {
    let lines = reservation.lines.iter();
    let here = lines.filter(|line| line.spot().as_ref() == Some(spot));
    here.map(|line| line.open()).sum()
}

fn shortfall(spot: &Spot, quantity: i64) -> EventKind {
    EventKind::StockShortfall {
        sku: spot.0.clone(),
        location_id: spot.1.clone(),
        quantity,
    }
}

fn cause(adjustment: &Adjustment) -> Cause {
    Cause {
        kind: match adjustment.target {
            Target::By(_) => MovementKind::Adjust,
            Target::To { .. } => MovementKind::Set,
        },
        reference: String::new(),
        reason: adjustment.reason.clone(),
    }
}
