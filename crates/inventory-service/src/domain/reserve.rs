//! Holding stock for an order, and committing the hold.

use std::{collections::BTreeMap, time::Duration};

use sha2::{Digest, Sha256};
use types::{OrderId, Quantity, Sku};

use super::{
    allocate::{Strategy, allocate},
    changes::LinesTouched,
    level::Level,
    refusal::{Amiss, Refusal},
    reservation::{Line, Reservation, State},
    stockroom::{Counted, Stockroom},
};

/// How much of each SKU is wanted; two lines of one SKU are one demand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Demand(BTreeMap<Sku, i64>);

/// What Reserve is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    pub order_id: OrderId,
    pub demand: Demand,
    pub ttl: Duration,
    pub allow_partial: bool,
    pub strategy: Strategy,
}

impl Demand {
    pub fn of(lines: impl IntoIterator<Item = (Sku, Quantity)>) -> Self {
        let mut demand = BTreeMap::new();
        for (sku, quantity) in lines {
            *demand.entry(sku).or_insert(0) += quantity.get();
        }
        Self(demand)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Sku, i64)> {
        self.0.iter().map(|(sku, quantity)| (sku, *quantity))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Equal for equal demands, whatever the order of their lines. A SKU has
    /// no control characters, so the line feed ends it beyond doubt.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for (sku, quantity) in self.iter() {
            hash.update(format!("{sku}\n{quantity}\n"));
        }
        hash.finalize().into()
    }
}

impl Stockroom {
    /// Other orders' overdue holds still count: see [`Self::expire_overdue`].
    pub fn reserve(&mut self, wish: &Wish) -> Result<Reservation, Refusal> {
        self.expire_if_overdue(wish.order_id);
        let fingerprint = wish.demand.fingerprint();
        if let Some(before) = self.reservations.get(&wish.order_id)
            && let Some(standing) = self.standing(before, fingerprint)?
        {
            return Ok(standing);
        }
        self.check_known(&wish.demand)?;
        let lines = self.plan(wish)?;
        self.hold(wish, fingerprint, lines);
        self.answer(wish.order_id)
    }

    pub fn commit(&mut self, order_id: OrderId) -> Result<Reservation, Refusal> {
        self.expire_if_overdue(order_id);
        match self.reservation(order_id)?.state {
            State::Held { .. } => self.change_state(order_id, State::Committed),
            State::Committed | State::Fulfilled => {}
            State::Expired => return Err(Refusal::ReservationExpired(order_id)),
            State::Released | State::Tombstone => {
                return Err(Refusal::ReservationReleased(order_id));
            }
        }
        self.answer(order_id)
    }

    fn check_known(&self, demand: &Demand) -> Result<(), Refusal> {
        let unknown: Vec<Sku> = demand
            .iter()
            .filter(|(sku, _)| !self.items.contains_key(*sku))
            .map(|(sku, _)| sku.clone())
            .collect();
        match unknown.is_empty() {
            true => Ok(()),
            false => Err(Refusal::UnknownSku { skus: unknown }),
        }
    }

    /// The lines that the wish gets, or every line that is short.
    fn plan(&self, wish: &Wish) -> Result<Vec<Line>, Refusal> {
        let (mut lines, mut short) = (Vec::new(), Vec::new());
        for (sku, requested) in wish.demand.iter() {
            let allocated = self.lines_for(sku, requested, wish.strategy);
            let available = allocated.iter().map(|line| line.quantity).sum();
            if available < requested {
                short.push(Amiss {
                    sku: sku.clone(),
                    requested,
                    available,
                });
            }
            lines.extend(allocated);
        }
        if short.is_empty() || (wish.allow_partial && !lines.is_empty()) {
            return Ok(lines);
        }
        Err(Refusal::OutOfStock { short })
    }

    fn lines_for(&self, sku: &Sku, quantity: i64, strategy: Strategy) -> Vec<Line> {
        let Some(item) = self.items.get(sku) else {
            return Vec::new();
        };
        let line = |location_id, quantity| Line {
            sku: sku.clone(),
            location_id,
            quantity,
            fulfilled: 0,
            returned: 0,
            list_price: item.list_price,
        };
        if !item.stock_tracked {
            return vec![line(None, quantity)];
        }
        let levels: Vec<&Level> = self.levels_of(sku).collect();
        allocate(&levels, quantity, strategy)
            .into_iter()
            .map(|(location_id, units)| line(Some(location_id), units))
            .collect()
    }

    /// In order of location.
    pub fn levels_of(&self, sku: &Sku) -> impl Iterator<Item = &Level> {
        self.levels.get(sku).into_iter().flat_map(BTreeMap::values)
    }

    fn hold(&mut self, wish: &Wish, fingerprint: [u8; 32], lines: Vec<Line>) {
        for line in &lines {
            self.recount(line.spot(), line.quantity, Counted::Nowhere, Counted::Held);
        }
        let state = State::Held {
            expires_at: self.now + wish.ttl,
        };
        if self.reservations.contains_key(&wish.order_id) {
            self.change_reservation(wish.order_id, LinesTouched::Replaced, |reservation| {
                reservation.state = state;
                reservation.lines = lines;
            });
            return;
        }
        self.add_reservation(Reservation {
            order_id: wish.order_id,
            state,
            fingerprint: Some(fingerprint),
            lines,
            reason: String::new(),
            version: 1,
            events: 0,
            created_at: self.now,
        });
    }

    /// The answer that an earlier reservation of the order gives; `None` when
    /// it has run out and the order may be reserved anew.
    fn standing(
        &self,
        before: &Reservation,
        fingerprint: [u8; 32],
    ) -> Result<Option<Reservation>, Refusal> {
        let is_same = before.fingerprint == Some(fingerprint);
        match before.state {
            State::Released | State::Tombstone => {
                Err(Refusal::ReservationReleased(before.order_id))
            }
            _ if !is_same => Err(Refusal::ReservationDiffers(before.order_id)),
            State::Expired => Ok(None),
            State::Held { .. } | State::Committed | State::Fulfilled => Ok(Some(before.clone())),
        }
    }
}
