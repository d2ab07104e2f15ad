//! Goods that come back.

use types::{LocationId, OrderId, ReturnId};

use super::{
    changes::{Applied, AppliedKind, LinesTouched},
    fulfill::{Shares, check_within, same},
    level::Spot,
    movement::{Cause, MovementKind},
    refusal::Refusal,
    reservation::{Line, Reservation},
    reserve::Demand,
    stockroom::Stockroom,
};

/// What ReturnToStock is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoodsBack {
    pub order_id: OrderId,
    pub return_id: ReturnId,
    pub demand: Demand,
    /// `None`: back to where each unit came from.
    pub location_id: Option<LocationId>,
}

impl Stockroom {
    /// What has left may come back in any state, also after the rest of the
    /// order was released.
    pub fn return_to_stock(&mut self, back: &GoodsBack) -> Result<Reservation, Refusal> {
        let reservation = self.reservation(back.order_id)?;
        let applied = Applied {
            order_id: back.order_id,
            kind: AppliedKind::Return,
            id: back.return_id.as_uuid(),
        };
        if self.applied.contains(&applied) {
            return self.answer(back.order_id);
        }
        if let Some(location_id) = &back.location_id
            && !self.locations.contains(location_id)
        {
            return Err(Refusal::UnknownLocation(location_id.clone()));
        }
        let wanted = back.demand.iter();
        let wanted = wanted.map(|(sku, units)| (sku.clone(), units)).collect();
        check_within(reservation, &wanted, Line::out)?;
        let shares = shares(reservation, &back.demand);
        self.apply_once(applied);
        self.take_back(back, &shares);
        self.answer(back.order_id)
    }

    fn take_back(&mut self, back: &GoodsBack, shares: &Shares) {
        for (line, units) in shares {
            let Some(spot) = destination(line, back) else {
                continue;
            };
            self.change_level(&spot, |level| level.on_hand += units);
            let cause = Cause {
                kind: MovementKind::Return,
                reference: back.return_id.to_string(),
                reason: String::new(),
            };
            self.record_movement(&spot, *units, cause);
        }
        self.change_reservation(back.order_id, LinesTouched::Counted, |reservation| {
            for (returned, units) in shares {
                for line in reservation
                    .lines
                    .iter_mut()
                    .filter(|line| same(line, returned))
                {
                    line.returned += units;
                }
            }
        });
    }
}

/// `None` for what is not counted.
fn destination(line: &Line, back: &GoodsBack) -> Option<Spot> {
    let (sku, from) = line.spot()?;
    Some((sku, back.location_id.clone().unwrap_or(from)))
}

fn shares(reservation: &Reservation, demand: &Demand) -> Shares {
    let mut shares = Shares::new();
    for (sku, units) in demand.iter() {
        let mut left = units;
        for line in reservation.lines.iter().filter(|line| line.sku == *sku) {
            let share = line.out().min(left);
            left -= share;
            if share > 0 {
                shares.push((line.clone(), share));
            }
        }
    }
    shares
}
