//! Random verbs on a small shop, and what they do to a stockroom in memory.

use std::time::Duration;

use chrono::DateTime;
use inventory_service::domain::{
    Adjustment, Demand, GoodsBack, Item, Level, Refusal, Reservation, Shipment, State, Stockroom,
    Strategy as Spread, Target, Transfer, Wish,
};
use proptest::{collection::vec, prelude::*};
use types::{FulfillmentId, LocationId, OrderId, Quantity, ReturnId, Sku};
use uuid::Uuid;

/// Two SKUs that are counted, the second with backorders, and one that is not.
pub const SKUS: [(&str, bool, i64); 3] = [("A", true, 0), ("B", true, 3), ("POST", false, 0)];
pub const LOCATIONS: [(&str, i32); 2] = [("main", 0), ("north", 1)];
pub const ON_HAND: i64 = 6;
const ORDERS: u8 = 5;

#[derive(Debug, Clone)]
pub enum Op {
    Reserve {
        order: u8,
        wanted: Vec<(usize, i64)>,
        partly: bool,
        most: bool,
    },
    Commit(u8),
    Release(u8),
    Extend(u8),
    RunOut(u8),
    Fulfill {
        order: u8,
        id: u8,
        wanted: Vec<(usize, i64)>,
    },
    Return {
        order: u8,
        id: u8,
        wanted: Vec<(usize, i64)>,
        to: Option<usize>,
    },
    Adjust {
        sku: usize,
        at: usize,
        delta: i64,
        force: bool,
    },
    Set {
        sku: usize,
        at: usize,
        on_hand: i64,
        safety_stock: Option<i64>,
        force: bool,
    },
    Transfer {
        sku: usize,
        from: usize,
        quantity: i64,
    },
}

pub fn ops(count: usize) -> impl Strategy<Value = Vec<Op>> {
    vec(op(), 1..count)
}

pub fn op() -> impl Strategy<Value = Op> {
    let order = 0..ORDERS;
    let wanted = || vec((0..SKUS.len(), 1..5_i64), 1..3);
    let partly_wanted = || vec((0..SKUS.len(), 1..3_i64), 0..3);
    let counted = 0..2_usize;
    let at = 0..LOCATIONS.len();
    prop_oneof![
        6 => (order.clone(), wanted(), prop::bool::weighted(0.2), any::<bool>())
            .prop_map(|(order, wanted, partly, most)| Op::Reserve { order, wanted, partly, most }),
        4 => order.clone().prop_map(Op::Commit),
        2 => order.clone().prop_map(Op::Release),
        1 => order.clone().prop_map(Op::Extend),
        1 => order.clone().prop_map(Op::RunOut),
        4 => (order.clone(), 0..4_u8, partly_wanted())
            .prop_map(|(order, id, wanted)| Op::Fulfill { order, id, wanted }),
        3 => (order, 0..4_u8, wanted(), prop::option::of(at.clone()))
            .prop_map(|(order, id, wanted, to)| Op::Return { order, id, wanted, to }),
        3 => (counted.clone(), at.clone(), -6..8_i64, any::<bool>())
            .prop_map(|(sku, at, delta, force)| {
                let delta = if delta == 0 { 9 } else { delta };
                Op::Adjust { sku, at, delta, force }
            }),
        2 => (counted.clone(), at.clone(), 0..10_i64, prop::option::of(0..3_i64), any::<bool>())
            .prop_map(|(sku, at, on_hand, safety_stock, force)| {
                Op::Set { sku, at, on_hand, safety_stock, force }
            }),
        2 => (counted, at, 1..5_i64)
            .prop_map(|(sku, from, quantity)| Op::Transfer { sku, from, quantity }),
    ]
}

pub fn order_id(order: u8) -> OrderId {
    OrderId::from_uuid(Uuid::from_u128(0x1000 + u128::from(order)))
}

pub fn fulfillment_id(id: u8) -> FulfillmentId {
    FulfillmentId::from_uuid(Uuid::from_u128(0x2000 + u128::from(id)))
}

pub fn return_id(id: u8) -> ReturnId {
    ReturnId::from_uuid(Uuid::from_u128(0x3000 + u128::from(id)))
}

pub fn sku(place: usize) -> Sku {
    Sku::parse(SKUS[place].0).unwrap()
}

pub fn location(place: usize) -> LocationId {
    LocationId::parse(LOCATIONS[place].0).unwrap()
}

fn demand(wanted: &[(usize, i64)]) -> Demand {
    Demand::of(
        wanted
            .iter()
            .map(|(place, units)| (sku(*place), Quantity::try_from(*units).unwrap())),
    )
}

/// The shop before the first verb: some of everything at every location.
pub fn stockroom() -> Stockroom {
    let mut room = Stockroom::new(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
    for (place, (_, stock_tracked, backorder_limit)) in SKUS.into_iter().enumerate() {
        let item = Item {
            sku: sku(place),
            title: String::new(),
            list_price: None,
            stock_tracked,
            backorder_limit,
            version: 1,
        };
        room.items.insert(item.sku.clone(), item);
        for (at, (_, priority)) in LOCATIONS.into_iter().enumerate() {
            room.locations.insert(location(at));
            if stock_tracked {
                room.add_level(Level {
                    sku: sku(place),
                    location_id: location(at),
                    priority,
                    on_hand: ON_HAND,
                    held: 0,
                    committed: 0,
                    safety_stock: 0,
                    backorder_limit,
                    version: 1,
                });
            }
        }
    }
    room
}

/// What a verb says: the reservation it is about, or the orders it cost.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    Reservation(Box<Reservation>),
    Shortfall(Vec<OrderId>),
    Nothing,
}

pub fn apply(room: &mut Stockroom, op: &Op) -> Result<Said, Refusal> {
    room.now += Duration::from_secs(1);
    let reservation = |one: Reservation| Said::Reservation(Box::new(one));
    match op {
        Op::Reserve {
            order,
            wanted,
            partly,
            most,
        } => room
            .reserve(&Wish {
                order_id: order_id(*order),
                demand: demand(wanted),
                ttl: Duration::from_secs(600),
                allow_partial: *partly,
                strategy: if *most {
                    Spread::MostAvailable
                } else {
                    Spread::Priority
                },
            })
            .map(reservation),
        Op::Commit(order) => room.commit(order_id(*order)).map(reservation),
        Op::Release(order) => room.release(order_id(*order), "test").map(reservation),
        Op::Extend(order) => room
            .extend(order_id(*order), Duration::from_secs(3_600))
            .map(reservation),
        Op::RunOut(order) => {
            let now = room.now;
            if let Some(found) = room.reservations.get_mut(&order_id(*order))
                && let State::Held { expires_at } = &mut found.state
            {
                *expires_at = now;
            }
            room.expire_overdue();
            Ok(Said::Nothing)
        }
        Op::Fulfill { order, id, wanted } => room
            .fulfill(&Shipment {
                order_id: order_id(*order),
                fulfillment_id: fulfillment_id(*id),
                demand: demand(wanted),
            })
            .map(reservation),
        Op::Return {
            order,
            id,
            wanted,
            to,
        } => room
            .return_to_stock(&GoodsBack {
                order_id: order_id(*order),
                return_id: return_id(*id),
                demand: demand(wanted),
                location_id: to.map(location),
            })
            .map(reservation),
        Op::Adjust {
            sku,
            at,
            delta,
            force,
        } => adjust(room, *sku, *at, Target::By(*delta), *force),
        Op::Set {
            sku,
            at,
            on_hand,
            safety_stock,
            force,
        } => {
            let target = Target::To {
                on_hand: *on_hand,
                safety_stock: *safety_stock,
            };
            adjust(room, *sku, *at, target, *force)
        }
        Op::Transfer {
            sku: place,
            from,
            quantity,
        } => room
            .transfer(&Transfer {
                sku: sku(*place),
                from: location(*from),
                to: location(1 - *from),
                quantity: Quantity::try_from(*quantity).unwrap(),
                reason: "test".to_owned(),
            })
            .map(|_| Said::Nothing),
    }
}

fn adjust(
    room: &mut Stockroom,
    place: usize,
    at: usize,
    target: Target,
    force: bool,
) -> Result<Said, Refusal> {
    let adjustment = Adjustment {
        sku: sku(place),
        location_id: location(at),
        target,
        reason: "test".to_owned(),
        force,
        version: None,
    };
    room.adjust(&adjustment)
        .map(|adjusted| Said::Shortfall(adjusted.shortfall))
}
