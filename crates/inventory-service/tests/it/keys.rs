//! One effect and one answer per key, for every mutating call.

use std::{collections::HashSet, future::Future, pin::Pin};

use api::inventory::v1 as pb;
use futures::future::join_all;
use prost::Message;
use rpc::Reason;
use tonic::{Response, Status};

use crate::world::{
    Client, Plan, World, call, fresh_key, item, lines, order, reason, refused, wish,
};

/// The encoded answer, and whether it was a replay.
type Answer = Result<(Vec<u8>, bool), Status>;
type Asking = Pin<Box<dyn Future<Output = Answer> + Send>>;
type Ask = Box<dyn Fn(Client, String) -> Asking + Send + Sync>;

/// A mutating call, and one that differs from it.
struct Case {
    method: &'static str,
    ask: Ask,
    other: Ask,
}

fn answer<M: Message>(result: Result<Response<M>, Status>) -> Answer {
    let replayed = |metadata: &tonic::metadata::MetadataMap| {
        let trailer = metadata.get("idempotent-replayed");
        trailer.is_some_and(|value| value == "true")
    };
    let response = result?;
    let is_replay = replayed(response.metadata());
    Ok((response.into_inner().encode_to_vec(), is_replay))
}

macro_rules! case {
    ($method:ident, $message:expr, $other:expr) => {{
        let (message, other) = ($message, $other);
        let ask = |message| -> Ask {
            Box::new(move |client: Client, key: String| {
                let message = Clone::clone(&message);
                Box::pin(async move { answer(call!(client, $method, &key, message)) })
            })
        };
        Case {
            method: stringify!($method),
            ask: ask(message),
            other: ask(other),
        }
    }};
}

async fn cases(world: &World) -> Vec<Case> {
    for sku in ["A", "B"] {
        world.stocked(sku, 1_000).await;
    }
    world.location("north", 1).await;
    let held = order();
    world.reserve(&held, &[("A", 1)]).await.unwrap();
    let to_extend = order();
    world.reserve(&to_extend, &[("A", 1)]).await.unwrap();
    let to_release = order();
    world.reserve(&to_release, &[("A", 1)]).await.unwrap();
    let to_ship = world.committed(&[("A", 5)]).await;
    let shipped = world.committed(&[("A", 5)]).await;
    world.fulfill(&shipped, &order(), &[]).await.unwrap();

    let release = pb::ReleaseRequest {
        order_id: to_release,
        reason: "one".to_owned(),
    };
    let extend = |seconds| pb::ExtendRequest {
        order_id: to_extend.clone(),
        ttl: Some(prost_types::Duration { seconds, nanos: 0 }),
    };
    let fulfill = |units| pb::FulfillRequest {
        order_id: to_ship.clone(),
        fulfillment_id: order(),
        lines: lines(&[("A", units)]),
    };
    let back = |units| pb::ReturnToStockRequest {
        order_id: shipped.clone(),
        return_id: order(),
        lines: lines(&[("A", units)]),
        location_id: String::new(),
    };
    let adjust = |delta| pb::AdjustStockRequest {
        sku: "B".to_owned(),
        delta,
        reason: "found".to_owned(),
        ..Default::default()
    };
    let set = |on_hand| pb::SetStockRequest {
        sku: "B".to_owned(),
        on_hand,
        reason: "count".to_owned(),
        ..Default::default()
    };
    let transfer = |quantity| pb::TransferStockRequest {
        sku: "B".to_owned(),
        from_location_id: "main".to_owned(),
        to_location_id: "north".to_owned(),
        quantity,
        reason: "balance".to_owned(),
    };
    let upsert = |sku| pb::UpsertItemRequest {
        item: Some(item(sku)),
    };
    let upsert_all = |sku| pb::BatchUpsertItemsRequest {
        items: vec![item(sku)],
    };
    let place = |priority| pb::UpsertLocationRequest {
        location: Some(pb::Location {
            id: "south".to_owned(),
            priority,
            ..Default::default()
        }),
    };
    vec![
        case!(
            reserve,
            wish(&order(), &[("A", 2)]),
            wish(&order(), &[("A", 3)])
        ),
        case!(
            commit,
            pb::CommitRequest { order_id: held },
            pb::CommitRequest { order_id: order() }
        ),
        case!(
            release,
            release.clone(),
            pb::ReleaseRequest {
                reason: "two".to_owned(),
                ..release
            }
        ),
        case!(extend, extend(3_600), extend(3_601)),
        case!(fulfill, fulfill(1), fulfill(2)),
        case!(return_to_stock, back(1), back(2)),
        case!(adjust_stock, adjust(5), adjust(6)),
        case!(set_stock, set(500), set(501)),
        case!(transfer_stock, transfer(3), transfer(4)),
        case!(upsert_item, upsert("C"), upsert("D")),
        case!(batch_upsert_items, upsert_all("E"), upsert_all("F")),
        case!(upsert_location, place(4), place(5)),
    ]
}

/// Everything that an effect could have touched.
async fn traces(world: &World) -> String {
    let mut conn = world.test.db.acquire().await.unwrap();
    sqlx::query_scalar(
        "select jsonb_build_array(
             (select jsonb_agg(to_jsonb(t) order by sku) from items t),
             (select jsonb_agg(to_jsonb(t) order by id) from locations t),
             (select jsonb_agg(to_jsonb(t) order by sku, location_id) from stock_levels t),
             (select jsonb_agg(to_jsonb(t) order by sequence) from stock_movements t),
             (select jsonb_agg(to_jsonb(t) order by order_id) from reservations t),
             (select jsonb_agg(to_jsonb(t) order by order_id, sku, location_id)
              from reservation_lines t),
             (select count(*) from idempotency_keys)
         )::text",
    )
    .fetch_one(&mut *conn)
    .await
    .unwrap()
}

#[tokio::test]
async fn every_mutating_call_wants_a_key() {
    let world = World::new().await;
    for case in cases(&world).await {
        let before = traces(&world).await;
        let answer = (case.ask)(world.client(), String::new()).await;
        let reason = refused(answer);
        assert_eq!(reason, Reason::IdempotencyKeyInvalid, "{}", case.method);
        let too_long = (case.ask)(world.client(), "k".repeat(256)).await;
        assert_eq!(
            refused(too_long),
            Reason::IdempotencyKeyInvalid,
            "{}",
            case.method
        );
        assert_eq!(traces(&world).await, before, "{}", case.method);
    }
}

#[tokio::test]
async fn the_same_key_and_request_give_the_same_bytes_and_no_further_effect() {
    let world = World::of(Plan {
        replicas: 2,
        ..Plan::default()
    })
    .await;
    for case in cases(&world).await {
        let key = fresh_key();
        let (first, is_replay) = (case.ask)(world.client(), key.clone()).await.unwrap();
        assert!(!is_replay, "{}", case.method);
        let before = traces(&world).await;
        for _ in 0..2 {
            let (again, is_replay) = (case.ask)(world.client(), key.clone()).await.unwrap();
            assert_eq!(again, first, "{}", case.method);
            assert!(is_replay, "{}", case.method);
        }
        assert_eq!(traces(&world).await, before, "{}", case.method);
    }
    world.assert_sound().await;
}

#[tokio::test]
async fn a_key_of_another_request_is_refused_and_nothing_is_written() {
    let world = World::new().await;
    for case in cases(&world).await {
        let key = fresh_key();
        (case.ask)(world.client(), key.clone()).await.unwrap();
        let before = traces(&world).await;
        let other = (case.other)(world.client(), key).await;
        assert_eq!(
            refused(other),
            Reason::IdempotencyKeyReused,
            "{}",
            case.method
        );
        assert_eq!(traces(&world).await, before, "{}", case.method);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_calls_with_one_key_at_once_one_has_the_effect() {
    let world = World::of(Plan {
        replicas: 2,
        ..Plan::default()
    })
    .await;
    for case in cases(&world).await {
        let key = fresh_key();
        let asking = (0..10).map(|_| (case.ask)(world.client(), key.clone()));
        let answers = join_all(asking).await;
        let mut bodies = HashSet::new();
        let mut fresh = 0;
        for answer in answers {
            match answer {
                Ok((body, is_replay)) => {
                    bodies.insert(body);
                    fresh += usize::from(!is_replay);
                }
                Err(status) => assert_eq!(
                    reason(&status),
                    Reason::IdempotencyInProgress,
                    "{}",
                    case.method
                ),
            }
        }
        assert_eq!((bodies.len(), fresh), (1, 1), "{}", case.method);
    }
    world.assert_sound().await;
}

#[tokio::test]
async fn a_definite_refusal_is_kept_and_a_missing_thing_is_not() {
    let world = World::new().await;
    world.stocked("A", 1).await;
    let (key, order) = (fresh_key(), order());
    let ask = async || call!(world.client(), reserve, &key, wish(&order, &[("A", 2)]));
    let first = ask().await.unwrap_err();
    world.set("main", "A", 10).await;
    let again = ask().await.unwrap_err();
    assert_eq!(reason(&again), Reason::OutOfStock);
    assert_eq!(again.details(), first.details());
    assert_eq!(again.metadata().get("idempotent-replayed").unwrap(), "true");

    let commit = async || {
        let order_id = order.clone();
        call!(
            world.client(),
            commit,
            "commit",
            pb::CommitRequest { order_id }
        )
    };
    assert_eq!(refused(commit().await), Reason::NotFound);
    world.reserve(&order, &[("A", 2)]).await.unwrap();
    commit().await.unwrap();
}

#[tokio::test]
async fn an_item_of_a_batch_and_its_single_call_share_their_key() {
    let world = World::new().await;
    world.stocked("A", 5).await;
    let wish = wish(&order(), &[("A", 2)]);
    let key = fresh_key();
    let single = call!(world.client(), reserve, &key, wish.clone()).unwrap();
    let message = pb::BatchReserveRequest {
        items: vec![pb::BatchReserveItem {
            idempotency_key: key,
            request: Some(wish),
            traceparent: String::new(),
        }],
    };
    let batch = world.client().batch_reserve(message).await.unwrap();
    let result = batch.into_inner().results.remove(0).outcome.unwrap();
    let pb::batch_reservation_result::Outcome::Reservation(reservation) = result else {
        panic!("{result:?}");
    };
    assert_eq!(Some(reservation), single.into_inner().reservation);
    assert_eq!(world.counts("A").await, (5, 2, 0));
}
