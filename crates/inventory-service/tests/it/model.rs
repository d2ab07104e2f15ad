//! The service against the rules alone: what is stored and answered must be
//! what a stockroom in memory says.

use api::inventory::v1 as pb;
use inventory_service::{
    app::Error,
    domain::{Refusal, Reservation, Stockroom},
};
use proptest::test_runner::{Config, TestRunner};
use rpc::{Problem, Reason};
use tonic::Status;
use types::OrderId;

use crate::{
    ops::{self, LOCATIONS, ON_HAND, Op, SKUS, Said, apply, ops, stockroom},
    world::{World, call, fresh_key, item, lines, reason},
};

async fn shop() -> World {
    let world = World::new().await;
    for (id, priority) in LOCATIONS {
        world.location(id, priority).await;
    }
    for (sku, stock_tracked, backorder_limit) in SKUS {
        let item = pb::Item {
            stock_tracked: Some(stock_tracked),
            backorder_limit,
            list_price: None,
            ..item(sku)
        };
        world.item(item).await;
        for (at, _) in LOCATIONS {
            if stock_tracked {
                world.set(at, sku, ON_HAND).await;
            }
        }
    }
    world
}

/// The orders that a change cost, or the reservation as it was answered.
enum Answered {
    Reservation(pb::Reservation),
    Shortfall(Vec<String>),
    Nothing,
}

pub async fn ask(world: &World, op: &Op) -> Result<(), Status> {
    act(world, op).await.map(|_| ())
}

fn named(wanted: &[(usize, i64)]) -> Vec<(&'static str, i64)> {
    let named = wanted.iter().map(|(place, units)| (SKUS[*place].0, *units));
    named.collect()
}

async fn act(world: &World, op: &Op) -> Result<Answered, Status> {
    let id = |order: &u8| ops::order_id(*order).to_string();
    let reservation = match op {
        Op::Reserve {
            order,
            wanted,
            partly,
            most,
        } => {
            let strategy = match most {
                true => pb::AllocationStrategy::MostAvailable,
                false => pb::AllocationStrategy::Priority,
            };
            let message = pb::ReserveRequest {
                order_id: id(order),
                lines: lines(&named(wanted)),
                ttl: None,
                allow_partial: *partly,
                strategy: strategy.into(),
            };
            world.ask(message).await?
        }
        Op::Commit(order) => world.commit(&id(order)).await?,
        Op::Release(order) => world.release(&id(order)).await?,
        Op::Extend(order) => {
            let ttl = prost_types::Duration {
                seconds: 3_600,
                nanos: 0,
            };
            let message = pb::ExtendRequest {
                order_id: id(order),
                ttl: Some(ttl),
            };
            let extended = call!(world.client(), extend, &fresh_key(), message)?;
            extended.into_inner().reservation.unwrap()
        }
        Op::RunOut(order) => {
            let order = id(order);
            world
                .sql(format!(
                    "update reservations set expires_at = now() - interval '1 second' \
                     where order_id = '{order}' and state = 1"
                ))
                .await;
            world.app.expire_holds(100).await.unwrap();
            return Ok(Answered::Nothing);
        }
        Op::Fulfill {
            order,
            id: ship,
            wanted,
        } => {
            let ship = ops::fulfillment_id(*ship).to_string();
            world.fulfill(&id(order), &ship, &named(wanted)).await?
        }
        Op::Return {
            order,
            id: back,
            wanted,
            to,
        } => {
            let back = ops::return_id(*back).to_string();
            let to = to.map_or("", |at| LOCATIONS[at].0);
            world
                .take_back(&id(order), &back, &named(wanted), to)
                .await?
        }
        Op::Adjust { .. } | Op::Set { .. } | Op::Transfer { .. } => {
            return change_stock(world, op).await;
        }
    };
    Ok(Answered::Reservation(reservation))
}

async fn change_stock(world: &World, op: &Op) -> Result<Answered, Status> {
    let shortfall = match op {
        Op::Adjust {
            sku,
            at,
            delta,
            force,
        } => {
            let message = pb::AdjustStockRequest {
                sku: SKUS[*sku].0.to_owned(),
                location_id: LOCATIONS[*at].0.to_owned(),
                delta: *delta,
                force: *force,
                reason: "test".to_owned(),
                etag: String::new(),
            };
            let adjusted = call!(world.client(), adjust_stock, &fresh_key(), message)?;
            adjusted.into_inner().shortfall_order_ids
        }
        Op::Set {
            sku,
            at,
            on_hand,
            safety_stock,
            force,
        } => {
            let message = pb::SetStockRequest {
                sku: SKUS[*sku].0.to_owned(),
                location_id: LOCATIONS[*at].0.to_owned(),
                on_hand: *on_hand,
                safety_stock: *safety_stock,
                force: *force,
                reason: "test".to_owned(),
                etag: String::new(),
            };
            let set = call!(world.client(), set_stock, &fresh_key(), message)?;
            set.into_inner().shortfall_order_ids
        }
        Op::Transfer {
            sku,
            from,
            quantity,
        } => {
            let message = pb::TransferStockRequest {
                sku: SKUS[*sku].0.to_owned(),
                from_location_id: LOCATIONS[*from].0.to_owned(),
                to_location_id: LOCATIONS[1 - *from].0.to_owned(),
                quantity: *quantity,
                reason: "test".to_owned(),
            };
            call!(world.client(), transfer_stock, &fresh_key(), message)?;
            return Ok(Answered::Nothing);
        }
        other => panic!("{other:?} changes no stock"),
    };
    Ok(Answered::Shortfall(shortfall))
}

fn expected_reason(refusal: Refusal) -> Reason {
    Problem::from(Error::Refused(refusal)).reason()
}

/// Everything of a reservation that does not depend on the clock.
fn timeless(one: &pb::Reservation) -> pb::Reservation {
    pb::Reservation {
        expire_time: one.expire_time.map(|_| Default::default()),
        create_time: None,
        ..one.clone()
    }
}

fn rendered(reservation: &Reservation) -> pb::Reservation {
    let committed = inventory_service::app::Committed(reservation.clone());
    timeless(&pb::Reservation::from(&committed))
}

fn compare(model: Result<Said, Refusal>, service: Result<Answered, Status>) {
    match (model, service) {
        (Ok(Said::Reservation(model)), Ok(Answered::Reservation(service))) => {
            assert_eq!(timeless(&service), rendered(&model));
        }
        (Ok(Said::Shortfall(model)), Ok(Answered::Shortfall(service))) => {
            let model: Vec<String> = model.iter().map(OrderId::to_string).collect();
            assert_eq!(service, model);
        }
        (Ok(Said::Nothing), Ok(Answered::Nothing)) => {}
        (Err(refusal), Err(status)) => assert_eq!(reason(&status), expected_reason(refusal)),
        (model, service) => panic!("{model:?}, but {:?}", service.map(|_| "fine").err()),
    }
}

async fn compare_state(world: &World, room: &Stockroom) {
    for (sku, stock_tracked, _) in SKUS {
        if !stock_tracked {
            continue;
        }
        let stored: Vec<_> = world.levels(sku).await;
        let stored: Vec<_> = stored
            .iter()
            .map(|one| {
                (
                    one.on_hand,
                    one.held,
                    one.committed,
                    one.safety_stock,
                    one.etag.clone(),
                )
            })
            .collect();
        let levels = room.levels[sku].values();
        let expected: Vec<_> = levels
            .map(|one| {
                let etag = rpc::etag(one.version);
                (one.on_hand, one.held, one.committed, one.safety_stock, etag)
            })
            .collect();
        assert_eq!(stored, expected, "{sku}");
    }
    for (order_id, reservation) in &room.reservations {
        let stored = world.reservation(&order_id.to_string()).await.unwrap();
        assert_eq!(timeless(&stored), rendered(reservation));
    }
    let movements = world.count("select count(*) from stock_movements").await;
    let at_first = SKUS.iter().filter(|sku| sku.1).count() * LOCATIONS.len();
    assert_eq!(movements as usize, at_first + room.changes.movements.len());
    let events = world.count("select count(*) from outbox").await;
    assert_eq!(events as usize, room.changes.events.len());
}

#[test]
fn the_service_does_what_the_rules_say() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = Config {
        cases: 24,
        max_shrink_iters: 40,
        failure_persistence: None,
        ..Config::default()
    };
    let result = TestRunner::new(config).run(&ops(40), |ops| {
        runtime.block_on(async {
            let world = shop().await;
            let mut room = stockroom();
            for op in &ops {
                let model = apply(&mut room, op);
                let service = act(&world, op).await;
                compare(model, service);
            }
            compare_state(&world, &room).await;
            world.assert_sound().await;
        });
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// The same items and places with more on the shelves.
pub async fn small_shop(world: &World) {
    for (id, priority) in LOCATIONS {
        world.location(id, priority).await;
    }
    for (sku, stock_tracked, backorder_limit) in SKUS {
        let item = pb::Item {
            stock_tracked: Some(stock_tracked),
            backorder_limit,
            ..item(sku)
        };
        world.item(item).await;
        for (at, _) in LOCATIONS {
            if stock_tracked {
                world.set(at, sku, 40).await;
            }
        }
    }
}
