use api::inventory::v1 as pb;
use pb::batch_reservation_result::Outcome;
use rpc::{Reason, Remote};

use crate::world::{World, fresh_key, order, refused, wish};

fn items(wishes: Vec<pb::ReserveRequest>) -> pb::BatchReserveRequest {
    let item = |wish| pb::BatchReserveItem {
        idempotency_key: fresh_key(),
        request: Some(wish),
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
    };
    pb::BatchReserveRequest {
        items: wishes.into_iter().map(item).collect(),
    }
}

fn outcome(result: pb::BatchReservationResult) -> Result<pb::Reservation, Reason> {
    match result.outcome.unwrap() {
        Outcome::Reservation(reservation) => Ok(reservation),
        Outcome::Error(status) => Err(Remote::from(&status).reason.unwrap()),
    }
}

async fn reserve(
    world: &World,
    wishes: Vec<pb::ReserveRequest>,
) -> Vec<Result<pb::Reservation, Reason>> {
    let batch = world.client().batch_reserve(items(wishes)).await.unwrap();
    batch
        .into_inner()
        .results
        .into_iter()
        .map(outcome)
        .collect()
}

#[tokio::test]
async fn of_a_batch_of_64_only_the_poisonous_one_fails() {
    let world = World::new().await;
    world.stocked("A", 100).await;
    world.stocked("POISON", 100).await;
    // A rule that the service does not know of.
    world
        .sql(
            "create function poison() returns trigger language plpgsql as $$
             begin
                 if new.sku = 'POISON' then raise check_violation; end if;
                 return new;
             end $$;
             create trigger poison before insert on reservation_lines
             for each row execute function poison();",
        )
        .await;
    let wishes: Vec<_> = (0..64)
        .map(|n| wish(&order(), &[(if n == 37 { "POISON" } else { "A" }, 1)]))
        .collect();
    let outcomes = reserve(&world, wishes).await;
    assert_eq!(outcomes.len(), 64);
    for (place, outcome) in outcomes.iter().enumerate() {
        assert_eq!(outcome.is_err(), place == 37, "{place}: {outcome:?}");
    }
    assert_eq!(outcomes[37], Err(Reason::Internal));
    assert_eq!(world.counts("A").await, (100, 63, 0));
    assert_eq!(world.counts("POISON").await, (100, 0, 0));
    world.assert_sound().await;
}

#[tokio::test]
async fn items_of_a_batch_stand_alone_and_in_order() {
    let world = World::new().await;
    world.stocked("A", 3).await;
    let released = order();
    world.release(&released).await.unwrap();
    let wishes = vec![
        wish(&order(), &[("A", 2)]),
        wish(&order(), &[("A", 2)]),
        wish(&released, &[("A", 1)]),
        wish(&order(), &[("X", 1)]),
        wish(&order(), &[("A", 0)]),
        wish(&order(), &[("A", 1)]),
    ];
    let reasons: Vec<_> = reserve(&world, wishes)
        .await
        .into_iter()
        .map(Result::err)
        .collect();
    assert_eq!(
        reasons,
        [
            None,
            Some(Reason::OutOfStock),
            Some(Reason::ReservationReleased),
            Some(Reason::UnknownSku),
            Some(Reason::InvalidField),
            None,
        ]
    );
    world.assert_sound().await;
}

#[tokio::test]
async fn a_batch_item_without_request_or_key_fails_alone() {
    let world = World::new().await;
    world.stocked("A", 3).await;
    let mut message = items(vec![wish(&order(), &[("A", 1)]); 3]);
    message.items[0].request = None;
    message.items[1].idempotency_key.clear();
    let results = world
        .client()
        .batch_reserve(message)
        .await
        .unwrap()
        .into_inner()
        .results;
    let reasons: Vec<_> = results.into_iter().map(|one| outcome(one).err()).collect();
    let (field, key) = (Reason::InvalidField, Reason::IdempotencyKeyInvalid);
    assert_eq!(reasons, [Some(field), Some(key), None]);
}

#[tokio::test]
async fn commit_and_release_come_in_batches_too() {
    let world = World::new().await;
    world.stocked("A", 10).await;
    let orders: Vec<_> = (0..4).map(|_| order()).collect();
    for order in &orders[..3] {
        world.reserve(order, &[("A", 1)]).await.unwrap();
    }
    let message = pb::BatchCommitRequest {
        items: orders
            .iter()
            .map(|order| pb::BatchCommitItem {
                idempotency_key: fresh_key(),
                request: Some(pb::CommitRequest {
                    order_id: order.clone(),
                }),
                traceparent: String::new(),
            })
            .collect(),
    };
    let results = world
        .client()
        .batch_commit(message)
        .await
        .unwrap()
        .into_inner()
        .results;
    let states: Vec<_> = results
        .into_iter()
        .map(|one| outcome(one).map(|one| one.state()))
        .collect();
    let committed = Ok(pb::ReservationState::Committed);
    assert_eq!(
        states,
        [committed, committed, committed, Err(Reason::NotFound)]
    );

    let message = pb::BatchReleaseRequest {
        items: orders
            .iter()
            .map(|order| pb::BatchReleaseItem {
                idempotency_key: fresh_key(),
                request: Some(pb::ReleaseRequest {
                    order_id: order.clone(),
                    reason: "test".to_owned(),
                }),
                traceparent: String::new(),
            })
            .collect(),
    };
    let results = world
        .client()
        .batch_release(message)
        .await
        .unwrap()
        .into_inner()
        .results;
    let states: Vec<_> = results
        .into_iter()
        .map(|one| outcome(one).map(|one| one.state()))
        .collect();
    let released = Ok(pb::ReservationState::Released);
    let tombstone = Ok(pb::ReservationState::Tombstone);
    assert_eq!(states, [released, released, released, tombstone]);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_batch_has_1_to_512_items_and_at_most_20_000_lines() {
    let world = World::new().await;
    world.stocked("A", 1).await;
    let none = world.client().batch_reserve(items(Vec::new())).await;
    assert_eq!(refused(none), Reason::InvalidField);
    let many = items(vec![wish(&order(), &[("A", 1)]); 513]);
    let many = world.client().batch_reserve(many).await;
    assert_eq!(refused(many), Reason::InvalidField);
    let long = items(vec![wish(&order(), &vec![("A", 1); 1_000]); 21]);
    let long = world.client().batch_reserve(long).await;
    assert_eq!(refused(long), Reason::InvalidField);
    let most = (0..512).map(|_| wish(&order(), &[("A", 1)])).collect();
    let outcomes = reserve(&world, most).await;
    let held = outcomes.iter().filter(|one| one.is_ok()).count();
    assert_eq!((outcomes.len(), held), (512, 1));
    assert!(outcomes[0].is_ok(), "decided in order of arrival");
}
