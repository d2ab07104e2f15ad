use crate::world::{Effects, GROUP, Running, TOPIC, World, event, until};
use outbox::Relay;
use redis::FromRedisValue;
use std::{collections::HashMap, time::Duration};
use uuid::Uuid;

fn text(fields: &HashMap<String, redis::Value>, name: &str) -> String {
    String::from_redis_value(fields[name].clone()).unwrap()
}

#[tokio::test]
async fn an_event_is_published_with_all_it_carries_and_then_deleted() {
    let world = World::new().await;
    let mut sent = event(Uuid::now_v7(), 7);
    sent.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into());
    let mut tx = world.db.begin().await.unwrap();
    outbox::append(&mut tx, std::slice::from_ref(&sent))
        .await
        .unwrap();
    outbox::append(&mut tx, &[]).await.unwrap();
    tx.commit().await.unwrap();

    let relay = world.relay();
    until("published", async || world.published_count().await == 1).await;
    until("deleted", async || world.depth().await == 0).await;
    let fields = world.published().await.remove(0);
    assert_eq!(text(&fields, "id"), sent.id.to_string());
    assert_eq!(text(&fields, "type"), format!("{TOPIC}.happened"));
    assert_eq!(text(&fields, "aggregate"), sent.aggregate.to_string());
    assert_eq!(text(&fields, "sequence"), "7");
    assert_eq!(Some(text(&fields, "traceparent")), sent.traceparent);
    let payload = Vec::<u8>::from_redis_value(fields["payload"].clone()).unwrap();
    assert_eq!(payload, sent.payload);
    let time: chrono::DateTime<chrono::Utc> = text(&fields, "time").parse().unwrap();
    assert!((chrono::Utc::now() - time).num_seconds().abs() < 60);
    relay.stop().await;
}

#[tokio::test]
async fn an_event_of_a_transaction_that_is_rolled_back_is_never_published() {
    let world = World::new().await;
    let relay = world.relay();
    let mut tx = world.db.begin().await.unwrap();
    outbox::append(&mut tx, &[event(Uuid::now_v7(), 1)])
        .await
        .unwrap();
    tx.rollback().await.unwrap();
    let kept = Uuid::now_v7();
    world.append(kept, [1]).await;
    until("published", async || world.published_count().await > 0).await;
    assert_eq!(
        text(&world.published().await[0], "aggregate"),
        kept.to_string()
    );
    assert_eq!(world.published_count().await, 1);
    relay.stop().await;
}

#[tokio::test]
async fn depth_and_lag_tell_how_far_the_relay_is_behind() {
    let world = World::new().await;
    let mut conn = world.db.acquire().await.unwrap();
    assert_eq!(outbox::depth(&mut conn).await.unwrap(), 0);
    assert_eq!(outbox::lag(&mut conn).await.unwrap(), Duration::ZERO);
    world.append(Uuid::now_v7(), 1..=3).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(outbox::depth(&mut conn).await.unwrap(), 3);
    let lag = outbox::lag(&mut conn).await.unwrap();
    assert!(lag >= Duration::from_millis(20) && lag < Duration::from_secs(30));
}

#[tokio::test]
async fn a_transaction_that_stays_open_holds_up_no_event_of_others() {
    let world = World::new().await;
    let mut open = world.db.begin().await.unwrap();
    let late = Uuid::now_v7();
    outbox::append(&mut open, &[event(late, 1)]).await.unwrap();
    let relay = world.relay();
    world.append(Uuid::now_v7(), 1..=2).await;
    until("the others", async || world.published_count().await == 2).await;
    open.commit().await.unwrap();
    until("the late one", async || world.published_count().await == 3).await;
    assert_eq!(
        text(&world.published().await[2], "aggregate"),
        late.to_string()
    );
    relay.stop().await;
}

#[tokio::test]
async fn a_woken_relay_does_not_wait_for_its_poll() {
    let world = World::new().await;
    let relay = Relay::new(world.db.clone(), world.settings());
    let wake = relay.wake_handle();
    let relay = Running::spawn(|cancel| relay.run(cancel));
    world.append(Uuid::now_v7(), [1]).await;
    until("at work", async || world.published_count().await == 1).await;
    let begun = std::time::Instant::now();
    for sequence in 2..=21 {
        world.append(Uuid::now_v7(), [1]).await;
        wake.wake();
        until("published", async || {
            world.published_count().await == sequence
        })
        .await;
    }
    // 20 polls take 4 s.
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(3), "{took:?}");
    relay.stop().await;
}

#[tokio::test]
async fn a_stream_keeps_about_as_many_entries_as_it_is_told() {
    let world = World::new().await;
    let relay = Relay::new(world.db.clone(), world.settings()).keeping(100);
    let relay = Running::spawn(|cancel| relay.run(cancel));
    let aggregate = Uuid::now_v7();
    let events: Vec<_> = (1..=1_000).map(|n| event(aggregate, n)).collect();
    let mut tx = world.db.begin().await.unwrap();
    outbox::append(&mut tx, &events).await.unwrap();
    tx.commit().await.unwrap();
    until("published", async || world.depth().await == 0).await;
    // Redis trims by whole nodes of 100 entries.
    let kept = world.published_count().await;
    assert!((100..=300).contains(&kept), "{kept}");
    relay.stop().await;
}

#[tokio::test]
async fn of_two_relays_one_is_active_and_the_other_takes_over() {
    let world = World::new().await;
    let seats = "select count(*) from pg_locks l join pg_database d on d.oid = l.database
                 where l.locktype = 'advisory' and d.datname = current_database() and l.granted";
    let first = world.relay();
    until("a seat", async || world.count(seats).await == 1).await;
    let second = world.relay();
    let aggregate = Uuid::now_v7();
    world.append(aggregate, 1..=50).await;
    until("published", async || world.depth().await == 0).await;
    assert_eq!(world.count(seats).await, 1);
    assert_eq!(world.published_count().await, 50);

    first.kill().await;
    world.append(aggregate, 51..=100).await;
    until("taken over", async || world.depth().await == 0).await;
    assert_eq!(world.count(seats).await, 1);
    assert_eq!(world.published_count().await, 100);
    second.stop().await;
    until("the seat is free", async || world.count(seats).await == 0).await;
}

#[tokio::test]
async fn events_killed_between_publishing_and_deleting_are_published_again_and_act_once() {
    let world = World::new().await;
    let aggregate = Uuid::now_v7();
    world.append(aggregate, 1..=20).await;
    // Rows that are locked can be read and published, not deleted.
    let mut holder = world.db.begin().await.unwrap();
    sqlx::query("select from outbox for update")
        .execute(&mut *holder)
        .await
        .unwrap();
    let killed = world.relay();
    until("published", async || world.published_count().await == 20).await;
    let deleting = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                    where datname = current_database() and wait_event_type = 'Lock'
                      and query like 'delete from outbox%'";
    until("deleting", async || world.count(deleting).await == 1).await;
    killed.kill().await;
    holder.rollback().await.unwrap();
    let relay = world.relay();
    world.append(aggregate, 21..=25).await;
    until("published again", async || world.depth().await == 0).await;
    assert!(world.published_count().await >= 45);
    let consumer = world.consumer("one", Effects::new());
    until("consumed", async || world.effects().await.len() >= 25).await;
    until("acknowledged", async || {
        let mut redis = world.redis().await;
        let pending: redis::streams::StreamPendingReply =
            redis::AsyncCommands::xpending(&mut redis, TOPIC, GROUP)
                .await
                .unwrap();
        pending.count() == 0
    })
    .await;
    assert_eq!(
        world.effects_of(aggregate).await,
        (1..=25).collect::<Vec<_>>()
    );
    relay.stop().await;
    consumer.stop().await;
}
