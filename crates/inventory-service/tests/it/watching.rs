use std::time::Duration;

use api::inventory::v1 as pb;
use futures::future::join_all;
use inventory_service::{
    domain::{Cause, Movement, MovementKind},
    store::movements,
};
use pb::watch_stock_response::Event;
use tokio::time::timeout;
use tonic::Streaming;
use types::{LocationId, Sku};

use crate::world::{Plan, World};

type Stream = Streaming<pb::WatchStockResponse>;

async fn watch(world: &World, skus: &[&str], after_sequence: Option<i64>) -> Stream {
    let message = pb::WatchStockRequest {
        skus: skus.iter().map(|sku| (*sku).to_owned()).collect(),
        after_sequence,
    };
    world
        .client()
        .watch_stock(message)
        .await
        .unwrap()
        .into_inner()
}

async fn next(stream: &mut Stream) -> Event {
    let next = timeout(Duration::from_secs(20), stream.message()).await;
    next.expect("an event in time")
        .unwrap()
        .unwrap()
        .event
        .unwrap()
}

/// Heartbeats do not count as waiting for something.
async fn next_movement(stream: &mut Stream) -> pb::StockMovement {
    let movement = async {
        loop {
            if let Event::Movement(movement) = next(stream).await {
                return movement;
            }
        }
    };
    let movement = timeout(Duration::from_secs(20), movement).await;
    movement.expect("a movement in time")
}

async fn next_heartbeat(stream: &mut Stream) -> i64 {
    loop {
        if let Event::HeartbeatSequence(sequence) = next(stream).await {
            return sequence;
        }
    }
}

/// Eight writers on two replicas; the reader hangs up again and again.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_resumes_misses_no_movement_while_eight_write() {
    const WRITES: usize = 40;
    let world = World::of(Plan {
        replicas: 2,
        ..Plan::default()
    })
    .await;
    for sku in ["A", "B", "C"] {
        world.stocked(sku, 10_000).await;
    }
    let writing = join_all((0..8).map(|writer| {
        let world = &world;
        async move {
            for n in 0..WRITES {
                let sku = ["A", "B", "C"][(writer + n) % 3];
                world
                    .adjust(sku, if n % 2 == 0 { 1 } else { -1 }, false)
                    .await
                    .unwrap();
            }
        }
    }));
    let total = 3 + 8 * WRITES;
    let reading = async {
        let (mut seen, mut after) = (Vec::new(), 0);
        while seen.len() < total {
            let mut stream = watch(&world, &[], Some(after)).await;
            for _ in 0..7.min(total - seen.len()) {
                let movement = next_movement(&mut stream).await;
                after = movement.sequence;
                seen.push(movement);
            }
        }
        seen
    };
    let (_, seen) = tokio::join!(writing, reading);
    assert!(seen.is_sorted_by(|left, right| left.sequence < right.sequence));
    let stored = "select count(*) from stock_movements";
    assert_eq!(world.count(stored).await, total as i64);
    for sku in ["A", "B", "C"] {
        let mut on_hand = 0;
        for movement in seen.iter().filter(|one| one.sku == sku) {
            on_hand += movement.delta;
            assert_eq!(movement.on_hand_after, on_hand, "a gap before {movement:?}");
        }
    }
    world.assert_sound().await;
}

#[tokio::test]
async fn a_movement_that_is_committed_late_is_not_passed_by() {
    let world = World::new().await;
    world.stocked("A", 5).await;
    world.stocked("B", 5).await;
    let mut stream = watch(&world, &[], Some(2)).await;
    let late = Movement {
        sku: Sku::parse("A").unwrap(),
        location_id: LocationId::parse("main").unwrap(),
        delta: 1,
        on_hand_after: 6,
        cause: Cause {
            kind: MovementKind::Adjust,
            reference: String::new(),
            reason: "late".to_owned(),
        },
    };
    let mut tx = world.test.db.begin().await.unwrap();
    movements::append(&mut tx, &[late]).await.unwrap();
    let overtaking = async { world.adjust("B", 1, false).await.unwrap() };
    let commit = async {
        tokio::time::sleep(Duration::from_millis(800)).await;
        tx.commit().await.unwrap();
    };
    tokio::join!(overtaking, commit);
    let seen = [
        next_movement(&mut stream).await,
        next_movement(&mut stream).await,
    ];
    assert_eq!(seen.map(|one| one.sku), ["A", "B"]);
}

#[tokio::test]
async fn a_stream_that_starts_now_sees_only_what_comes() {
    let world = World::new().await;
    world.stocked("A", 5).await;
    world.stocked("B", 5).await;
    let mut stream = watch(&world, &["A"], None).await;
    let start = next_heartbeat(&mut stream).await;
    assert_eq!(start, 2);
    world.adjust("B", 1, false).await.unwrap();
    world.adjust("A", 2, false).await.unwrap();
    let movement = next_movement(&mut stream).await;
    assert_eq!((movement.sku.as_str(), movement.delta), ("A", 2));
    assert!(movement.sequence > start);
}

#[tokio::test]
async fn a_quiet_stream_gives_signs_of_life_that_move_on() {
    let world = World::of(Plan {
        heartbeat_interval_ms: 50,
        ..Plan::default()
    })
    .await;
    world.stocked("A", 5).await;
    let mut stream = watch(&world, &["X"], Some(0)).await;
    while next_heartbeat(&mut stream).await < 1 {}
    world.adjust("A", 2, false).await.unwrap();
    // Nothing for this stream, yet its place moves past it.
    while next_heartbeat(&mut stream).await < 2 {}
}

#[tokio::test]
async fn a_long_backlog_comes_whole() {
    let world = World::new().await;
    world.stocked("A", 1_000).await;
    let backlog = "insert into stock_movements (sku, location_id, kind, delta, on_hand_after, reference, reason)
         select 'A', 'main', 2, 1, 1000 + n, '', 'bulk' from generate_series(1, 1700) n";
    world.sql(backlog).await;
    let mut stream = watch(&world, &["A"], Some(0)).await;
    for sequence in 1..=1_701 {
        assert_eq!(next_movement(&mut stream).await.sequence, sequence);
    }
}

#[tokio::test]
async fn a_stopping_service_ends_its_streams() {
    let world = World::new().await;
    let mut stream = watch(&world, &[], Some(0)).await;
    next_heartbeat(&mut stream).await;
    world.shutdown.cancel();
    let end = timeout(Duration::from_secs(10), async {
        loop {
            if let Err(status) = stream.message().await {
                return status;
            }
        }
    });
    assert_eq!(end.await.unwrap().code(), tonic::Code::Unavailable);
}
