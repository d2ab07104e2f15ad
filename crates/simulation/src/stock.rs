//! inventory-service in memory: its stockroom, with keys before it.

use std::time::Duration;

use chrono::DateTime;
use inventory_service::domain::{
    Adjustment, Demand, GoodsBack, Item, Level, Refusal, Reservation, Shipment, State, Stockroom,
    Strategy, Target, Wish,
};
use types::{LocationId, Money, OrderId, Sku};

use crate::keys::{Kept, Keys};

pub type Answered = Result<Reservation, Refusal>;

/// Rules that can be left out, to see that somebody notices.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bugs {
    pub no_tombstone: bool,
    /// Every call counts as a first one.
    pub no_keys: bool,
    /// A hold runs out although it was committed.
    pub expires_commits: bool,
}

#[derive(Debug)]
pub struct Stock {
    pub room: Stockroom,
    pub bugs: Bugs,
    keys: Keys<(), Answered>,
}

/// How long an order's stock is held.
pub const HOLD: Duration = Duration::from_secs(600);

/// A second buyer, who takes what an order has lost.
const OTHER: OrderId = OrderId::from_uuid(uuid::Uuid::from_u128(0xffff));

impl Stock {
    /// So many units of each SKU, first at one location, then at another.
    pub fn new(goods: &[(Sku, Option<Money>, [i64; 2])]) -> Self {
        let start = DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
        let mut room = Stockroom::new(start);
        for (sku, list_price, on_hand) in goods {
            let item = Item {
                sku: sku.clone(),
                title: String::new(),
                list_price: *list_price,
                stock_tracked: true,
                backorder_limit: 0,
                version: 1,
            };
            room.items.insert(item.sku.clone(), item);
            for (priority, (at, on_hand)) in (0..).zip(["main", "north"].iter().zip(on_hand)) {
                let location_id = LocationId::parse(at).expect("a name");
                room.locations.insert(location_id.clone());
                room.add_level(Level {
                    sku: sku.clone(),
                    location_id,
                    priority,
                    on_hand: *on_hand,
                    held: 0,
                    committed: 0,
                    safety_stock: 0,
                    backorder_limit: 0,
                    version: 1,
                });
            }
        }
        Self {
            room,
            bugs: Bugs::default(),
            keys: Keys::default(),
        }
    }

    pub fn reserve(&mut self, key: &str, order_id: OrderId, demand: Demand) -> Answered {
        let wish = Wish {
            order_id,
            demand,
            ttl: HOLD,
            allow_partial: false,
            strategy: Strategy::Priority,
        };
        self.once(key, |room| {
            // No hold that has run out stands in the way.
            room.expire_overdue();
            room.reserve(&wish)
        })
    }

    pub fn commit(&mut self, key: &str, order_id: OrderId) -> Answered {
        self.once(key, |room| room.commit(order_id))
    }

    pub fn release(&mut self, key: &str, order_id: OrderId) -> Result<(), Refusal> {
        if self.bugs.no_tombstone && !self.room.reservations.contains_key(&order_id) {
            return Ok(());
        }
        self.once(key, |room| room.release(order_id, "order undone"))
            .map(drop)
    }

    pub fn ship(&mut self, key: &str, shipment: &Shipment) -> Answered {
        self.once(key, |room| room.fulfill(shipment))
    }

    pub fn take_back(&mut self, key: &str, back: &GoodsBack) -> Answered {
        self.once(key, |room| room.return_to_stock(back))
    }

    fn once(&mut self, key: &str, act: impl FnOnce(&mut Stockroom) -> Answered) -> Answered {
        if let (Some(Kept::Answered(first)), false) = (self.keys.get(key), self.bugs.no_keys) {
            return first;
        }
        let answer = act(&mut self.room);
        match &answer {
            // What was not there may be asked for again.
            Err(Refusal::ReservationNotFound(_)) => answer,
            _ => self.keys.keep(key, answer),
        }
    }

    /// Longer than a hold lasts, and the sweeper comes by. Whether any ran out.
    pub fn let_holds_run_out(&mut self) -> bool {
        self.room.now += HOLD + Duration::from_secs(1);
        if self.bugs.expires_commits {
            let soon = self.room.now;
            for reservation in self.room.reservations.values_mut() {
                if reservation.state == State::Committed && !reservation.has_shipped() {
                    reservation.state = State::Held { expires_at: soon };
                    for line in reservation.lines.clone() {
                        let level = line
                            .spot()
                            .and_then(|spot| self.room.levels.get_mut(&spot.0)?.get_mut(&spot.1));
                        if let Some(level) = level {
                            level.committed -= line.open();
                            level.held += line.open();
                        }
                    }
                }
            }
        }
        self.room.expire_overdue() > 0
    }

    /// Somebody else buys all that is free. Whether there was anything.
    pub fn sell_all(&mut self) -> bool {
        let free: Vec<(Sku, i64)> = self
            .room
            .items
            .keys()
            .map(|sku| {
                let levels = self.room.levels_of(sku);
                (sku.clone(), levels.map(Level::available).sum())
            })
            .filter(|(_, units)| *units > 0)
            .collect();
        let demand = Demand::of(free.iter().map(|(sku, units)| {
            let units = (*units).try_into().expect("some");
            (sku.clone(), units)
        }));
        let wish = Wish {
            order_id: OTHER,
            demand,
            ttl: HOLD * 1_000_000,
            allow_partial: true,
            strategy: Strategy::Priority,
        };
        !free.is_empty() && self.room.reserve(&wish).is_ok()
    }

    /// What the other buyer took is put back, so that the books of the order
    /// stand alone.
    pub fn sell_nothing(&mut self) {
        if self.room.reservations.contains_key(&OTHER) {
            let _ = self.room.release(OTHER, "");
        }
    }

    /// All that lies at `sku` is found to be broken. The orders that it costs.
    pub fn lose_all(&mut self, sku: &Sku) -> Vec<OrderId> {
        let places: Vec<LocationId> = self.room.locations.iter().cloned().collect();
        let mut victims = Vec::new();
        for location_id in places {
            let adjustment = Adjustment {
                sku: sku.clone(),
                location_id,
                target: Target::To {
                    on_hand: 0,
                    safety_stock: None,
                },
                reason: "broken".to_owned(),
                force: true,
                version: None,
            };
            let adjusted = self.room.adjust(&adjustment).expect("forced");
            victims.extend(adjusted.shortfall);
        }
        victims.sort_unstable();
        victims.dedup();
        victims.retain(|order| *order != OTHER);
        victims
    }

    pub fn reservation(&self, order_id: OrderId) -> Option<&Reservation> {
        self.room.reservations.get(&order_id)
    }

    /// On hand, held and committed, over all locations.
    pub fn totals(&self, sku: &Sku) -> (i64, i64, i64) {
        let levels = self.room.levels_of(sku);
        levels.fold((0, 0, 0), |(on_hand, held, committed), level| {
            (
                on_hand + level.on_hand,
                held + level.held,
                committed + level.committed,
            )
        })
    }
}
