//! The stockroom against a model that knows only how much of what each order
//! has: random verbs, and what each must answer.

mod model;

use std::time::Duration;

use chrono::DateTime;
use inventory_service::domain::{
    Adjustment, Demand, GoodsBack, Item, Level, Refusal, Shipment, Stockroom, Strategy as Spread,
    Target, Wish,
};
use model::{Model, Phase, Says, Units, Verb};
use proptest::test_runner::{Config, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use types::{FulfillmentId, LocationId, OrderId, Quantity, ReturnId, Sku};
use uuid::Uuid;

const SKUS: [&str; 2] = ["ink", "pen"];
const PLACES: [&str; 2] = ["main", "north"];
const ON_HAND: i64 = 4;
const HOLD: Duration = Duration::from_secs(600);

/// The real one, and the model one verb behind it. `LAX`: without a look at holds
/// that have run out.
struct Real<const LAX: bool> {
    room: Stockroom,
    before: Model,
}

impl<const LAX: bool> StateMachineTest for Real<LAX> {
    type SystemUnderTest = Self;
    type Reference = Model;

    fn init_test(model: &Model) -> Self {
        Self {
            room: stockroom(),
            before: model.clone(),
        }
    }

    fn apply(mut real: Self, _: &Model, verb: Verb) -> Self {
        let expected = real.before.act(&verb);
        if !LAX && matches!(verb, Verb::Reserve(..)) {
            // As the service does, for all that stand in the way.
            real.room.now += Duration::from_secs(1);
            real.room.expire_overdue();
            real.room.now -= Duration::from_secs(1);
        }
        let answered = act(&mut real.room, &verb);
        assert_eq!(answered, expected, "{verb:?}");
        real
    }

    fn check_invariants(real: &Self, model: &Model) {
        assert!(!real.room.is_incomplete);
        for (place, name) in SKUS.iter().enumerate() {
            let levels: Vec<&Level> = real.room.levels_of(&sku(name)).collect();
            let sum =
                |count: fn(&Level) -> i64| levels.iter().map(|level| count(level)).sum::<i64>();
            assert!(
                levels.iter().all(|level| level.is_sound()),
                "S1: {levels:?}"
            );
            assert_eq!(
                sum(|level| level.on_hand),
                model.on_hand[place],
                "S3: {name}"
            );
            assert_eq!(sum(Level::promised), model.promised(place), "S2: {name}");
            let moved = real.room.changes.movements.iter();
            let moved: i64 = moved
                .filter(|one| one.sku == sku(name))
                .map(|one| one.delta)
                .sum();
            assert_eq!(2 * ON_HAND + moved, model.on_hand[place], "S3: {name}");
        }
        assert_eq!(real.room.reservations.len(), model.promises.len(), "S5");
        for (order, promise) in &model.promises {
            let kept = &real.room.reservations[&order_id(*order)];
            assert_eq!(
                kept.state.name().as_str(),
                name_of(promise.phase),
                "order {order}"
            );
            for (place, name) in SKUS.iter().enumerate() {
                let lines = kept.lines.iter().filter(|line| line.sku == sku(name));
                let (shipped, back) = lines.fold((0, 0), |(shipped, back), line| {
                    (shipped + line.fulfilled, back + line.returned)
                });
                assert_eq!(shipped, promise.shipped[place], "S6: order {order}");
                assert_eq!(back, promise.returned[place], "S6: order {order}");
            }
        }
    }
}

fn name_of(phase: Phase) -> &'static str {
    match phase {
        Phase::Held(_) => "HELD",
        Phase::Committed => "COMMITTED",
        Phase::Shipped => "FULFILLED",
        Phase::Expired => "EXPIRED",
        Phase::Released => "RELEASED",
        Phase::Tombstone => "TOMBSTONE",
    }
}

fn sku(name: &str) -> Sku {
    Sku::parse(name).unwrap()
}

fn order_id(order: u8) -> OrderId {
    OrderId::from_uuid(Uuid::from_u128(0x1000 + u128::from(order)))
}

fn demand(units: Units) -> Demand {
    let wanted = SKUS.iter().zip(units).filter(|(_, units)| *units > 0);
    Demand::of(wanted.map(|(name, units)| (sku(name), Quantity::try_from(units).unwrap())))
}

fn stockroom() -> Stockroom {
    let mut room = Stockroom::new(DateTime::UNIX_EPOCH);
    for name in SKUS {
        let item = Item {
            sku: sku(name),
            title: String::new(),
            list_price: None,
            stock_tracked: true,
            backorder_limit: 0,
            version: 1,
        };
        room.items.insert(item.sku.clone(), item);
        for (priority, place) in (0..).zip(PLACES) {
            let location_id = LocationId::parse(place).unwrap();
            room.locations.insert(location_id.clone());
            room.add_level(Level {
                sku: sku(name),
                location_id,
                priority,
                on_hand: ON_HAND,
                held: 0,
                committed: 0,
                safety_stock: 0,
                backorder_limit: 0,
                version: 1,
            });
        }
    }
    room
}

fn act(room: &mut Stockroom, verb: &Verb) -> Says {
    room.now += Duration::from_secs(1);
    let answered = match verb {
        Verb::Reserve(order, units) => {
            let wish = Wish {
                order_id: order_id(*order),
                demand: demand(*units),
                ttl: HOLD,
                allow_partial: false,
                strategy: Spread::Priority,
            };
            room.reserve(&wish).map(drop)
        }
        Verb::Commit(order) => room.commit(order_id(*order)).map(drop),
        Verb::Release(order) => room.release(order_id(*order), "").map(drop),
        Verb::Extend(order) => room.extend(order_id(*order), HOLD).map(drop),
        Verb::Ship(order, id) => {
            let shipment = Shipment {
                order_id: order_id(*order),
                fulfillment_id: FulfillmentId::from_uuid(Uuid::from_u128((*id).into())),
                demand: Demand::default(),
            };
            room.fulfill(&shipment).map(drop)
        }
        Verb::Return(order, id, place) => {
            let mut units = [0, 0];
            units[*place] = 1;
            let back = GoodsBack {
                order_id: order_id(*order),
                return_id: ReturnId::from_uuid(Uuid::from_u128((*id).into())),
                demand: demand(units),
                location_id: None,
            };
            room.return_to_stock(&back).map(drop)
        }
        Verb::Found(place, at, units) => {
            let adjustment = Adjustment {
                sku: sku(SKUS[*place]),
                location_id: LocationId::parse(PLACES[*at]).unwrap(),
                target: Target::By(*units),
                reason: "found".to_owned(),
                force: false,
                version: None,
            };
            room.adjust(&adjustment).map(drop)
        }
        Verb::Wait(seconds) => {
            room.now += Duration::from_secs(*seconds);
            Ok(())
        }
        Verb::Sweep => {
            room.expire_overdue();
            Ok(())
        }
    };
    match answered {
        Ok(()) => Says::Yes,
        Err(Refusal::OutOfStock { .. }) => Says::OutOfStock,
        Err(Refusal::ReservationExpired(_)) => Says::Expired,
        Err(Refusal::ReservationReleased(_)) => Says::Released,
        Err(Refusal::ReservationDiffers(_)) => Says::Differs,
        Err(Refusal::IllegalTransition { .. }) => Says::Illegal,
        Err(Refusal::ExceedsRemaining { .. }) => Says::Exceeds,
        Err(Refusal::ReservationNotFound(_)) => Says::NotFound,
        Err(Refusal::InsufficientStock { .. }) => Says::Insufficient,
        Err(other) => panic!("{other}"),
    }
}

prop_state_machine! {
    #![proptest_config(Config {
        failure_persistence: None,
        ..Config::with_cases(400)
    })]

    #[test]
    fn the_stockroom_answers_and_counts_as_the_model_does(sequential 1..60 => Real<false>);
}

#[test]
fn a_hold_that_stands_in_the_way_too_long_is_found_out() {
    let config = Config {
        failure_persistence: None,
        ..Config::with_cases(400)
    };
    let walks = Model::sequential_strategy(1..60);
    let outcome = TestRunner::new(config.clone()).run(&walks, |(start, verbs, seen)| {
        Real::<true>::test_sequential(config.clone(), start, verbs, seen);
        Ok(())
    });
    assert!(outcome.is_err(), "nobody noticed");
}
