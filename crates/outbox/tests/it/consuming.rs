use crate::world::{Effects, GROUP, TOPIC, World, event, until};
use outbox::{HandleError, prune_inbox};
use redis::AsyncCommands;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use uuid::Uuid;

async fn pending(world: &World) -> usize {
    let mut redis = world.redis().await;
    let reply: redis::streams::StreamPendingReply = redis.xpending(TOPIC, GROUP).await.unwrap();
    reply.count()
}

#[tokio::test]
async fn a_handler_gets_what_was_appended() {
    let world = World::new().await;
    let mut sent = event(Uuid::now_v7(), 3);
    sent.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into());
    let mut tx = world.db.begin().await.unwrap();
    outbox::append(&mut tx, std::slice::from_ref(&sent))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let relay = world.relay();
    let effects = Effects::new();
    let consumer = world.consumer("one", effects.clone());
    until("consumed", async || world.effects().await.len() == 1).await;
    let received = effects.tried.lock().unwrap().remove(0);
    assert_eq!(received.id, sent.id);
    assert_eq!(received.topic, TOPIC);
    assert_eq!(received.kind, "happened");
    assert_eq!(received.aggregate, sent.aggregate);
    assert_eq!(received.sequence, 3);
    assert_eq!(received.payload, sent.payload);
    assert_eq!(received.traceparent, sent.traceparent);
    assert!((chrono::Utc::now() - received.time).num_seconds().abs() < 60);
    relay.stop().await;
    consumer.stop().await;
}

#[tokio::test]
async fn an_event_that_is_published_twice_acts_once() {
    let world = World::new().await;
    let aggregate = Uuid::now_v7();
    let events = [event(aggregate, 1), event(aggregate, 2)];
    let mut conn = world.db.acquire().await.unwrap();
    for _ in 0..3 {
        outbox::append(&mut conn, &events).await.unwrap();
    }
    let relay = world.relay();
    let consumer = world.consumer("one", Effects::new());
    until("published", async || world.published_count().await == 6).await;
    until("settled", async || {
        world.effects().await.len() >= 2 && pending(&world).await == 0
    })
    .await;
    world.append(aggregate, [3]).await;
    until("the next", async || world.effects().await.len() >= 3).await;
    assert_eq!(world.effects_of(aggregate).await, [1, 2, 3]);
    relay.stop().await;
    consumer.stop().await;
}

#[tokio::test]
async fn what_a_dead_consumer_had_read_is_claimed_and_comes_first() {
    let world = World::new().await;
    let aggregate = Uuid::now_v7();
    world.append(aggregate, 1..=10).await;
    let relay = world.relay();
    until("published", async || world.published_count().await == 10).await;
    let mut redis = world.redis().await;
    let _: () = redis.xgroup_create(TOPIC, GROUP, "0").await.unwrap();
    let options = redis::streams::StreamReadOptions::default()
        .group(GROUP, "dead")
        .count(6);
    let _: redis::Value = redis
        .xread_options(&[TOPIC], &[">"], &options)
        .await
        .unwrap();
    let consumer = world.consumer("alive", Effects::new());
    until("consumed", async || world.effects().await.len() >= 10).await;
    assert_eq!(
        world.effects_of(aggregate).await,
        (1..=10).collect::<Vec<_>>()
    );
    until("acknowledged", async || pending(&world).await == 0).await;
    relay.stop().await;
    consumer.stop().await;
}

#[tokio::test]
async fn of_two_consumers_of_a_group_one_is_active_and_the_other_takes_over() {
    let world = World::new().await;
    let aggregate = Uuid::now_v7();
    let relay = world.relay();
    let (one, two) = (Effects::new(), Effects::new());
    let first = world.consumer("one", one.clone());
    world.append(aggregate, 1..=1).await;
    until("at work", async || one.tries() == 1).await;
    let second = world.consumer("two", two.clone());
    world.append(aggregate, 2..=30).await;
    until("consumed", async || world.effects().await.len() == 30).await;
    assert_eq!((one.tries(), two.tries()), (30, 0));
    first.kill().await;
    world.append(aggregate, 31..=40).await;
    until("taken over", async || world.effects().await.len() == 40).await;
    assert_eq!((one.tries(), two.tries()), (30, 10));
    relay.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn an_entry_that_is_no_event_is_passed_over() {
    let world = World::new().await;
    let mut redis = world.redis().await;
    let _: String = redis
        .xadd(TOPIC, "*", &[("what", "is this")])
        .await
        .unwrap();
    let aggregate = Uuid::now_v7();
    world.append(aggregate, [1]).await;
    let relay = world.relay();
    let consumer = world.consumer("one", Effects::new());
    until("consumed", async || world.effects().await.len() == 1).await;
    until("acknowledged", async || pending(&world).await == 0).await;
    relay.stop().await;
    consumer.stop().await;
}

#[tokio::test]
async fn an_outage_is_waited_out_and_parks_nothing() {
    let world = World::new().await;
    let aggregate = Uuid::now_v7();
    world.append(aggregate, 1..=2).await;
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = calls.clone();
    let flaky = Effects::after(move |_| match counter.fetch_add(1, Ordering::SeqCst) {
        0..8 => Err(sqlx::Error::PoolTimedOut.into()),
        _ => Ok(()),
    });
    let relay = world.relay();
    let consumer = world.consumer("one", flaky);
    until("consumed", async || world.effects().await.len() == 2).await;
    assert_eq!(world.effects_of(aggregate).await, [1, 2]);
    assert_eq!(calls.load(Ordering::SeqCst), 10);
    assert_eq!(world.count("select count(*) from inbox_parked").await, 0);
    relay.stop().await;
    consumer.stop().await;
}

#[tokio::test]
async fn a_try_that_fails_leaves_nothing_and_the_next_one_acts_once() {
    let world = World::new().await;
    let aggregate = Uuid::now_v7();
    world.append(aggregate, 1..=2).await;
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = calls.clone();
    let flaky = Effects::after(move |_| match counter.fetch_add(1, Ordering::SeqCst) {
        0..3 => Err(HandleError::failed("not yet")),
        _ => Ok(()),
    });
    let relay = world.relay();
    let consumer = world.consumer("one", flaky);
    until("consumed", async || world.effects().await.len() >= 2).await;
    assert_eq!(world.effects_of(aggregate).await, [1, 2]);
    assert_eq!(calls.load(Ordering::SeqCst), 5);
    relay.stop().await;
    consumer.stop().await;
}

#[tokio::test]
async fn only_old_entries_of_the_inbox_are_pruned_and_in_batches() {
    let world = World::new().await;
    crate::world::execute(
        &world.db,
        "insert into inbox (consumer_group, event_id, received_at)
         select 'g', gen_random_uuid(), now() - n * interval '1 h'
         from generate_series(0, 9) as n",
    )
    .await;
    let age = Duration::from_secs(3 * 60 * 60 + 60);
    assert_eq!(prune_inbox(&world.db, age, 4).await.unwrap(), 4);
    assert_eq!(prune_inbox(&world.db, age, 4).await.unwrap(), 2);
    assert_eq!(prune_inbox(&world.db, age, 4).await.unwrap(), 0);
    assert_eq!(world.count("select count(*) from inbox").await, 4);
}
