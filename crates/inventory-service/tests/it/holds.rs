use std::time::{Duration, Instant};

use api::inventory::v1 as pb;
use pb::ReservationState as State;
use rpc::Reason;

use crate::world::{Plan, World, call, fresh_key, order, refused, wish};

fn seconds(seconds: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds, nanos: 0 })
}

#[tokio::test]
async fn an_overdue_hold_never_blocks_a_sale() {
    let world = World::new().await;
    world.stocked("A", 5).await;
    world.stocked("B", 5).await;
    let (late, other) = (order(), order());
    world.reserve(&late, &[("A", 5), ("B", 2)]).await.unwrap();
    world.reserve(&other, &[("B", 1)]).await.unwrap();
    assert_eq!(
        refused(world.reserve(&order(), &[("A", 1)]).await),
        Reason::OutOfStock
    );
    world.make_overdue(&late).await;
    world.reserve(&order(), &[("A", 5)]).await.unwrap();
    assert_eq!(world.state(&late).await, State::Expired);
    assert_eq!(world.state(&other).await, State::Held);
    assert_eq!(world.counts("B").await, (5, 1, 0));
    let told = "select count(*) from outbox where kind = 'reservation_expired' and sequence = 1";
    assert_eq!(world.count(told).await, 1);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_commit_that_comes_too_late_is_refused_and_ends_the_hold() {
    let world = World::new().await;
    world.stocked("A", 5).await;
    let order = order();
    world.reserve(&order, &[("A", 5)]).await.unwrap();
    world.make_overdue(&order).await;
    assert_eq!(
        refused(world.commit(&order).await),
        Reason::ReservationExpired
    );
    assert_eq!(world.counts("A").await, (5, 0, 0));
    assert_eq!(
        refused(world.commit(&order).await),
        Reason::ReservationExpired
    );
    world.assert_sound().await;
}

#[tokio::test]
async fn a_hold_that_ran_out_is_reserved_anew_under_its_order() {
    let world = World::new().await;
    world.stocked("A", 5).await;
    let order = order();
    let first = world.reserve(&order, &[("A", 5)]).await.unwrap();
    world.make_overdue(&order).await;
    let second = world.reserve(&order, &[("A", 5)]).await.unwrap();
    assert_eq!(second.state(), State::Held);
    assert_ne!(second.etag, first.etag);
    assert_eq!(
        refused(world.reserve(&order, &[("A", 4)]).await),
        Reason::ReservationDiffers
    );
    world.commit(&order).await.unwrap();
    world.assert_sound().await;
}

#[tokio::test]
async fn the_sweeper_ends_overdue_holds_and_says_so() {
    let world = World::of(Plan {
        replicas: 2,
        sweep_interval_ms: 50,
        ..Plan::default()
    })
    .await;
    world.stocked("A", 50).await;
    let mut orders = Vec::new();
    for _ in 0..20 {
        let order = order();
        let short = pb::ReserveRequest {
            ttl: seconds(1),
            ..wish(&order, &[("A", 1)])
        };
        world.ask(short).await.unwrap();
        orders.push(order);
    }
    let began = Instant::now();
    while world.counts("A").await.1 > 0 {
        assert!(began.elapsed() < Duration::from_secs(10), "nobody sweeps");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for order in &orders {
        assert_eq!(world.state(order).await, State::Expired);
    }
    let told = "select count(distinct aggregate) from outbox where kind = 'reservation_expired'";
    assert_eq!(world.count(told).await, 20);
    assert_eq!(world.count("select count(*) from outbox").await, 20);
    world.assert_sound().await;
}

#[tokio::test]
async fn extending_moves_the_end_away_and_never_nearer() {
    let world = World::new().await;
    world.stocked("A", 5).await;
    let order = order();
    let before = world.reserve(&order, &[("A", 1)]).await.unwrap();
    let extend = |ttl| {
        let (client, order_id) = (world.client(), order.clone());
        async move {
            let message = pb::ExtendRequest { order_id, ttl };
            let extended = call!(client, extend, &fresh_key(), message)?;
            Ok::<_, tonic::Status>(extended.into_inner().reservation.unwrap())
        }
    };
    let same = extend(seconds(5)).await.unwrap();
    assert_eq!(same, before);
    let later = extend(seconds(3600)).await.unwrap();
    let end = |one: &pb::Reservation| one.expire_time.unwrap().seconds;
    assert!(end(&later) > end(&before) + 2_000);
    world.make_overdue(&order).await;
    assert_eq!(
        refused(extend(seconds(5)).await),
        Reason::ReservationExpired
    );
    world.release(&order).await.unwrap();
    assert_eq!(
        refused(extend(seconds(5)).await),
        Reason::ReservationReleased
    );
}

#[tokio::test]
async fn releasing_an_unknown_order_leaves_a_tombstone() {
    let world = World::new().await;
    world.stocked("A", 5).await;
    let order = order();
    let tombstone = world.release(&order).await.unwrap();
    assert_eq!(tombstone.state(), State::Tombstone);
    assert_eq!(world.release(&order).await.unwrap(), tombstone);
    assert_eq!(
        refused(world.reserve(&order, &[("A", 1)]).await),
        Reason::ReservationReleased
    );
    assert_eq!(
        refused(world.commit(&order).await),
        Reason::ReservationReleased
    );
    world.assert_sound().await;
}

#[tokio::test]
async fn releasing_twice_gives_back_once() {
    let world = World::new().await;
    world.stocked("A", 5).await;
    for commit in [false, true] {
        let order = order();
        world.reserve(&order, &[("A", 3)]).await.unwrap();
        if commit {
            world.commit(&order).await.unwrap();
        }
        let first = world.release(&order).await.unwrap();
        assert_eq!(first.state(), State::Released);
        assert_eq!(world.release(&order).await.unwrap(), first);
        assert_eq!(world.counts("A").await, (5, 0, 0));
        assert_eq!(
            refused(world.reserve(&order, &[("A", 3)]).await),
            Reason::ReservationReleased
        );
        assert_eq!(
            refused(world.commit(&order).await),
            Reason::ReservationReleased
        );
    }
    world.assert_sound().await;
}

#[tokio::test]
async fn releasing_an_expired_hold_refuses_a_late_reserve() {
    let world = World::new().await;
    world.stocked("A", 5).await;
    let order = order();
    world.reserve(&order, &[("A", 3)]).await.unwrap();
    world.make_overdue(&order).await;
    assert_eq!(
        refused(world.commit(&order).await),
        Reason::ReservationExpired
    );
    assert_eq!(
        world.release(&order).await.unwrap().state(),
        State::Released
    );
    assert_eq!(
        refused(world.reserve(&order, &[("A", 3)]).await),
        Reason::ReservationReleased
    );
    world.assert_sound().await;
}

#[tokio::test]
async fn committing_twice_is_fine_and_an_unknown_order_is_not_found() {
    let world = World::new().await;
    world.stocked("A", 5).await;
    let known = world.committed(&[("A", 2)]).await;
    let again = world.commit(&known).await.unwrap();
    assert_eq!(again.state(), State::Committed);
    assert_eq!(world.counts("A").await, (5, 0, 2));
    assert_eq!(refused(world.commit(&order()).await), Reason::NotFound);
}

/// Reserve and Release of one order at the same time, under keys of their own.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_reserve_and_a_release_that_race_nothing_is_held_at_the_end() {
    let world = World::of(Plan {
        replicas: 2,
        ..Plan::default()
    })
    .await;
    world.stocked("A", 1_000).await;
    for _ in 0..100 {
        let order = order();
        let wanted = [("A", 1)];
        let (reserved, released) =
            tokio::join!(world.reserve(&order, &wanted), world.release(&order));
        released.unwrap();
        if let Err(status) = reserved {
            assert_eq!(crate::world::reason(&status), Reason::ReservationReleased);
        }
        assert!(matches!(
            world.state(&order).await,
            State::Released | State::Tombstone
        ));
    }
    assert_eq!(world.counts("A").await, (1_000, 0, 0));
    world.assert_sound().await;
}
