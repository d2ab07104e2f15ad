//! Passwords of Postgres and Redis that change under a relay and a consumer.

use crate::world::{Effects, World, until};
use database::{Database, Settings};
use secrecy::SecretString;
use testkit::{TestDatabase, TestPostgres};
use uuid::Uuid;

const ROLE: &str = "shop";

/// The settings of `test`, for the role that needs a password.
fn settings(postgres: &TestPostgres, test: &TestDatabase, password: &str) -> Settings {
    let database = test.url.rsplit('/').next().unwrap();
    let port = postgres.port();
    Settings {
        url: format!("postgres://{ROLE}@127.0.0.1:{port}/{database}").into(),
        password: Some(SecretString::from(password)),
        ..test.settings.clone()
    }
}

#[tokio::test]
async fn events_flow_on_after_both_passwords_have_changed() {
    let postgres = TestPostgres::start().await;
    postgres.add_role(ROLE, "first").await;
    let mut test = postgres.database(&[&outbox::MIGRATOR]).await;
    let first = settings(&postgres, &test, "first");
    test.db = Database::connect(&first, "test").await.unwrap();
    let second = settings(&postgres, &test, "second");
    let world = World::with(test).await;
    let redis = world.settings();
    let relay = world.relay_over(&redis);
    let consumer = world.consumer_over(&redis, Effects::new());
    let aggregate = Uuid::now_v7();
    world.append(aggregate, 1..=5).await;
    until("consumed", async || world.effects().await.len() == 5).await;

    // Relay and consumer hold sessions of their own, which end with the rest.
    postgres.set_password(ROLE, "second").await;
    assert!(postgres.disconnect(ROLE).await >= 2);
    assert!(world.db.rotate(&second).unwrap());
    world.append(aggregate, 6..=10).await;
    until("consumed", async || world.effects().await.len() == 10).await;

    let mut conn = world.redis().await;
    redis::pipe()
        .cmd("CONFIG")
        .arg(("SET", "requirepass", "new"))
        .cmd("CLIENT")
        .arg(("KILL", "TYPE", "normal"))
        .query_async::<()>(&mut conn)
        .await
        .unwrap();
    redis.set(redis_connection::Settings {
        password: Some("new".into()),
        ..redis_connection::Settings::new(world.redis.url.as_str())
    });
    world.append(aggregate, 11..=15).await;
    until("consumed", async || world.effects().await.len() >= 15).await;
    assert_eq!(
        world.effects_of(aggregate).await,
        (1..=15).collect::<Vec<_>>()
    );
    relay.stop().await;
    consumer.stop().await;
}

#[tokio::test]
async fn seats_and_connections_that_still_work_are_changed_for_new_ones() {
    let postgres = TestPostgres::start().await;
    postgres.add_role(ROLE, "first").await;
    let mut test = postgres.database(&[&outbox::MIGRATOR]).await;
    let first = settings(&postgres, &test, "first");
    test.db = Database::connect(&first, "test").await.unwrap();
    let second = settings(&postgres, &test, "second");
    let world = World::with(test).await;
    let redis = world.settings();
    let other = testkit::redis().await;
    let relay = world.relay_over(&redis);
    let consumer = world.consumer_over(&redis, Effects::new());
    let aggregate = Uuid::now_v7();
    world.append(aggregate, 1..=3).await;
    until("consumed", async || world.effects().await.len() == 3).await;
    let seats = "select coalesce(sum(pid), 0)::bigint from pg_locks where locktype = 'advisory'";
    let before = world.count(seats).await;

    postgres.set_password(ROLE, "second").await;
    world.db.rotate(&second).unwrap();
    redis.set(redis_connection::Settings::new(other.url.as_str()));
    world.append(aggregate, 4..=6).await;
    until("consumed", async || world.effects().await.len() == 6).await;
    assert_ne!(
        world.count(seats).await,
        before,
        "sessions of the new password"
    );
    assert_eq!(
        world.published_count().await,
        3,
        "the rest is on the other server"
    );
    relay.stop().await;
    consumer.stop().await;
}
