//! Twelve writers, short and long transactions, several aggregates in each.

use crate::world::{Effects, World, event, until};
use database::{Database, Tx};
use redis::FromRedisValue;
use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};
use uuid::Uuid;

const WRITERS: usize = 12;
const EVENTS_EACH: usize = 200;
const AGGREGATES: usize = 20;

/// Takes the next sequence of an aggregate, and with it the aggregate's lock.
async fn happen(tx: &mut Tx, aggregate: Uuid) {
    let sequence: i64 = sqlx::query_scalar(
        "update aggregates set version = version + 1 where id = $1 returning version",
    )
    .bind(aggregate)
    .fetch_one(&mut **tx)
    .await
    .unwrap();
    outbox::append(tx, &[event(aggregate, sequence)])
        .await
        .unwrap();
}

/// Each transaction touches two aggregates, so that it may have its id long
/// before it gets the lock, and the position, of the second.
async fn write(db: Database, aggregates: Vec<Uuid>, writer: usize) {
    for turn in 0..EVENTS_EACH / 2 {
        let first = (writer * 7 + turn * 3) % AGGREGATES;
        let second = (first + 1 + turn % (AGGREGATES - 1)) % AGGREGATES;
        let mut tx = db.begin().await.unwrap();
        happen(&mut tx, aggregates[first.min(second)]).await;
        if turn % 10 == 0 {
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        happen(&mut tx, aggregates[first.max(second)]).await;
        if turn % 25 == 0 {
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
        tx.commit().await.unwrap();
    }
}

async fn aggregates(world: &World) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = (0..AGGREGATES).map(|_| Uuid::now_v7()).collect();
    ids.sort_unstable();
    let mut conn = world.db.acquire().await.unwrap();
    sqlx::query("insert into aggregates (id, version) select unnest($1::uuid[]), 0")
        .bind(&ids)
        .execute(&mut *conn)
        .await
        .unwrap();
    ids
}

/// Of each aggregate the sequences in the order in which they first appeared.
async fn first_appearances(world: &World) -> BTreeMap<String, Vec<i64>> {
    let mut seen = HashSet::new();
    let mut sequences = BTreeMap::<String, Vec<i64>>::new();
    for fields in world.published().await {
        let text = |name: &str| String::from_redis_value(fields[name].clone()).unwrap();
        if seen.insert(text("id")) {
            let sequence = text("sequence").parse().unwrap();
            sequences
                .entry(text("aggregate"))
                .or_default()
                .push(sequence);
        }
    }
    sequences
}

fn assert_gapless(sequences: &BTreeMap<String, Vec<i64>>) {
    let total: usize = sequences.values().map(Vec::len).sum();
    assert_eq!(total, WRITERS * EVENTS_EACH);
    for (aggregate, sequences) in sequences {
        let expected: Vec<i64> = (1..).take(sequences.len()).collect();
        assert_eq!(*sequences, expected, "{aggregate}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_event_of_twelve_writers_is_published_per_aggregate_in_sequence() {
    let world = World::new().await;
    let aggregates = aggregates(&world).await;
    let relay = world.relay();
    let writers =
        (0..WRITERS).map(|n| tokio::spawn(write(world.db.clone(), aggregates.clone(), n)));
    for writer in futures::future::join_all(writers).await {
        writer.unwrap();
    }
    until("published", async || world.depth().await == 0).await;
    assert_eq!(world.published_count().await, WRITERS * EVENTS_EACH);
    assert_gapless(&first_appearances(&world).await);
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn relays_and_consumers_killed_all_the_time_lose_nothing_and_repeat_no_effect() {
    let world = World::new().await;
    let aggregates = aggregates(&world).await;
    let mut relay = world.relay();
    let mut consumer = world.consumer("one", Effects::new());
    let writers: Vec<_> = (0..WRITERS)
        .map(|n| tokio::spawn(write(world.db.clone(), aggregates.clone(), n)))
        .collect();
    let mut turn = 0;
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        turn += 1;
        tokio::time::sleep(Duration::from_millis(40 + turn * 17 % 90)).await;
        relay.kill().await;
        relay = world.relay();
        if turn % 3 == 0 {
            consumer.kill().await;
            consumer = world.consumer("two", Effects::new());
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    until("published", async || world.depth().await == 0).await;
    assert_gapless(&first_appearances(&world).await);
    until("consumed", async || {
        world.count("select count(*) from inbox").await >= 2_400
    })
    .await;
    let mut sequences = BTreeMap::<String, Vec<i64>>::new();
    for (aggregate, sequence) in world.effects().await {
        let of = sequences.entry(aggregate.to_string()).or_default();
        of.push(sequence);
    }
    assert_gapless(&sequences);
    relay.stop().await;
    consumer.stop().await;
}
