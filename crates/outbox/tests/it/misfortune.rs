//! Servers that go away and come back.

use crate::world::{Effects, TOPIC, World, until};
use redis::AsyncCommands;
use std::time::Duration;
use testkit::TestPostgres;
use uuid::Uuid;

#[tokio::test]
async fn nothing_is_lost_while_redis_is_stopped() {
    let mut world = World::new().await;
    let aggregate = Uuid::now_v7();
    let relay = world.relay();
    let consumer = world.consumer("one", Effects::new());
    world.append(aggregate, 1..=10).await;
    until("consumed", async || world.effects().await.len() == 10).await;
    world.redis.stop().await;
    world.append(aggregate, 11..=30).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(world.depth().await, 20);
    world.redis.start().await;
    until("caught up", async || world.effects().await.len() >= 30).await;
    assert_eq!(
        world.effects_of(aggregate).await,
        (1..=30).collect::<Vec<_>>()
    );
    until("empty", async || world.depth().await == 0).await;
    relay.stop().await;
    consumer.stop().await;
}

#[tokio::test]
async fn a_relay_and_a_consumer_stop_at_once_while_redis_is_down() {
    let mut world = World::new().await;
    world.redis.stop().await;
    world.append(Uuid::now_v7(), [1]).await;
    let relay = world.relay();
    let consumer = world.consumer("one", Effects::new());
    tokio::time::sleep(Duration::from_millis(500)).await;
    let begun = std::time::Instant::now();
    relay.stop().await;
    consumer.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert_eq!(world.depth().await, 1);
}

#[tokio::test]
async fn a_redis_that_has_lost_its_data_gets_its_group_again() {
    let world = World::new().await;
    let aggregate = Uuid::now_v7();
    let relay = world.relay();
    let consumer = world.consumer("one", Effects::new());
    world.append(aggregate, [1]).await;
    until("consumed", async || world.effects().await.len() == 1).await;
    let _: () = world.redis().await.del(TOPIC).await.unwrap();
    world.append(aggregate, [2]).await;
    until("consumed", async || world.effects().await.len() == 2).await;
    assert_eq!(world.effects_of(aggregate).await, [1, 2]);
    relay.stop().await;
    consumer.stop().await;
}

#[tokio::test]
async fn a_crash_of_postgres_is_survived_by_relay_and_consumer() {
    let mut server = TestPostgres::start().await;
    let test = server.database(&[&outbox::MIGRATOR]).await;
    let world = World::with(test).await;
    let aggregate = Uuid::now_v7();
    let relay = world.relay();
    let consumer = world.consumer("one", Effects::new());
    world.append(aggregate, 1..=5).await;
    until("consumed", async || world.effects().await.len() == 5).await;
    server.crash().await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    server.restart().await;
    until("reachable", async || world.db.ping().await.is_ok()).await;
    world.append(aggregate, 6..=10).await;
    until("caught up", async || world.effects().await.len() >= 10).await;
    assert_eq!(
        world.effects_of(aggregate).await,
        (1..=10).collect::<Vec<_>>()
    );
    relay.stop().await;
    consumer.stop().await;
}
