use std::time::{Duration, Instant};

use limits::Limits;
use redis_connection::Settings;
use secrecy::SecretString;

use crate::world::*;

const OF: [(limits::Dimension, &str); 1] = [(Customer, "c")];

async fn command(redis: &testkit::TestRedis, words: &[&str]) {
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    let _: redis::Value = command.query_async(&mut client(redis).await).await.unwrap();
}

#[tokio::test]
async fn without_redis_calls_are_limited_by_this_process_and_wait_for_nothing() {
    let limits = Limits::new(handle("redis://127.0.0.1:1"), per_customer(1, 50));
    let start = Instant::now();
    let sum = admitted(&limits, &OF, 1_000).await;
    let took = start.elapsed();
    assert!((50..=52).contains(&sum), "{sum}");
    assert!(took < Duration::from_millis(500), "{took:?}");
    assert!(!limits.is_shared());
}

#[tokio::test]
async fn redis_may_go_and_come_back() {
    let (log, _guard) = Log::start();
    let mut redis = testkit::redis().await;
    let limits = replica(&redis, per_customer(1, 10)).await;
    assert_eq!(admitted(&limits, &OF, 4).await, 4);
    redis.stop().await;
    let start = Instant::now();
    let alone = admitted(&limits, &OF, 100).await;
    let took = start.elapsed();
    assert!((10..=11).contains(&alone), "a bucket of its own: {alone}");
    assert!(took < Duration::from_millis(500), "{took:?}");
    assert!(!limits.is_shared());
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    redis.start().await;
    until("shared again", || limits.is_shared()).await;
    let other = replica(&redis, per_customer(1, 10)).await;
    limits.check(&[(Customer, "d")], 10).await.unwrap();
    assert!(other.check(&[(Customer, "d")], 1).await.is_err());
    drop(other);
    let lines = log.lines();
    let ours: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("rate limits"))
        .collect();
    let warnings = ours.iter().filter(|line| line.contains("WARN")).count();
    assert_eq!(warnings, 1, "{lines:#?}");
    assert_eq!(ours.len(), 4, "up, down, up, and the other: {lines:#?}");
}

#[tokio::test]
async fn a_redis_that_hangs_holds_up_a_call_once_and_shortly() {
    let redis = testkit::redis().await;
    let limits = replica(&redis, per_customer(1, 1_000)).await;
    command(&redis, &["CLIENT", "PAUSE", "3000", "ALL"]).await;
    let start = Instant::now();
    limits.check(&OF, 1).await.unwrap();
    let first = start.elapsed();
    assert!(first < Duration::from_millis(400), "{first:?}");
    assert_eq!(admitted(&limits, &OF, 500).await, 500);
    let rest = start.elapsed() - first;
    assert!(rest < Duration::from_millis(400), "{rest:?}");
    assert!(!limits.is_shared());
    until("shared again", || limits.is_shared()).await;
}

#[tokio::test]
async fn a_redis_that_has_forgotten_everything_counts_anew() {
    let redis = testkit::redis().await;
    let limits = replica(&redis, per_customer(1, 5)).await;
    assert_eq!(admitted(&limits, &OF, 5).await, 5);
    assert!(limits.check(&OF, 1).await.is_err());
    command(&redis, &["FLUSHALL"]).await;
    command(&redis, &["SCRIPT", "FLUSH"]).await;
    assert_eq!(admitted(&limits, &OF, 5).await, 5);
    assert!(limits.check(&OF, 1).await.is_err());
    assert!(limits.is_shared(), "it was never in doubt");
}

#[tokio::test]
async fn what_was_used_up_outlives_a_restart_of_redis() {
    let mut redis = testkit::redis().await;
    let limits = replica(&redis, per_customer(1, 60)).await;
    limits.check(&OF, 60).await.unwrap();
    redis.stop().await;
    let _ = limits.check(&OF, 1).await;
    redis.start().await;
    until("shared again", || limits.is_shared()).await;
    assert!(limits.check(&OF, 50).await.is_err());
}

#[tokio::test]
async fn a_redis_that_takes_no_writes_is_as_none() {
    let redis = testkit::redis().await;
    command(&redis, &["REPLICAOF", "127.0.0.1", "1"]).await;
    let limits = Limits::new(handle(&redis.url), per_customer(1, 5));
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(!limits.is_shared());
    assert_eq!(admitted(&limits, &OF, 100).await, 5);
    command(&redis, &["REPLICAOF", "NO", "ONE"]).await;
    until("shared", || limits.is_shared()).await;
}

#[tokio::test]
async fn a_new_password_is_used_when_the_old_one_fails() {
    let mut redis = testkit::redis().await;
    let handle = handle(&redis.url);
    let limits = Limits::new(handle.clone(), per_customer(1, 5));
    until("shared", || limits.is_shared()).await;
    command(&redis, &["CONFIG", "SET", "requirepass", "second"]).await;
    let url = redis.url.replace("redis://", "redis://:second@");
    redis.url = url;
    command(
        &redis,
        &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"],
    )
    .await;
    limits.check(&OF, 1).await.unwrap();
    assert!(!limits.is_shared());
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert!(!limits.is_shared(), "the old password");
    let mut settings = Settings::new(redis.url.replace(":second@", ""));
    settings.password = Some(SecretString::from("second"));
    handle.set(settings);
    until("shared again", || limits.is_shared()).await;
}

#[tokio::test]
async fn a_new_address_is_taken_up_while_the_old_one_serves() {
    let (log, _guard) = Log::start();
    let (old, new) = (testkit::redis().await, testkit::redis().await);
    let handle = handle(&old.url);
    let limits = Limits::new(handle.clone(), per_customer(1, 5));
    until("shared", || limits.is_shared()).await;
    handle.set(Settings::new(new.url.clone()));
    let deadline = Instant::now() + Duration::from_secs(10);
    while keys(&new).await.is_empty() {
        assert!(Instant::now() < deadline, "never taken up");
        let _ = limits.check(&OF, 1).await;
        assert!(limits.is_shared(), "at all times");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let lines = log.lines();
    assert!(
        !lines.iter().any(|line| line.contains("WARN")),
        "{lines:#?}"
    );
}
