//! Every wait ends.

use std::time::{Duration, Instant};

use database::{Database, Result, Settings};
use sqlx::Executor;

use crate::rows::numbers;

async fn with(change: impl FnOnce(&mut Settings)) -> Database {
    let mut fresh = numbers().await;
    change(&mut fresh.settings);
    Database::connect(&fresh.settings, "limits").await.unwrap()
}

async fn setting(db: &Database, name: &str) -> String {
    let mut conn = db.acquire().await.unwrap();
    sqlx::query_scalar("select current_setting($1)")
        .bind(name)
        .fetch_one(&mut *conn)
        .await
        .unwrap()
}

#[tokio::test]
async fn each_connection_carries_the_default_limits() {
    let fresh = testkit::database(&[]).await;
    let settings = Settings::new(fresh.url);
    let db = Database::connect(&settings, "limits").await.unwrap();
    let table = [
        ("statement_timeout", "2s"),
        ("lock_timeout", "500ms"),
        ("idle_in_transaction_session_timeout", "5s"),
        ("application_name", "limits"),
    ];
    for (name, value) in table {
        assert_eq!(setting(&db, name).await, value, "{name}");
    }
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_unavailable() {
    let db = with(|settings| settings.statement_timeout_ms = 50).await;
    let mut tx = db.begin().await.unwrap();
    let result = tx.execute("select pg_sleep(10)").await;
    let error = database::Error::from(result.unwrap_err());
    assert_eq!(error.code().as_deref(), Some("57014"));
    assert!(error.is_unavailable() && !error.is_transient());
}

#[tokio::test]
async fn a_lock_that_does_not_come_is_a_lost_race() {
    let db = with(|settings| settings.lock_timeout_ms = 50).await;
    let mut holder = db.begin().await.unwrap();
    holder.execute("lock table numbers").await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let result = tx.execute("select n from numbers").await;
    let error = database::Error::from(result.unwrap_err());
    assert_eq!(error.code().as_deref(), Some("55P03"));
    assert!(error.is_transient());
}

#[tokio::test]
async fn a_transaction_that_idles_is_ended_and_its_locks_with_it() {
    let db = with(|settings| settings.idle_in_transaction_timeout_ms = 50).await;
    let mut idle = db.begin().await.unwrap();
    idle.execute("lock table numbers").await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut tx = db.begin().await.unwrap();
    tx.execute("lock table numbers").await.unwrap();
    let error: Result<_> = idle.execute("select 1").await.map_err(Into::into);
    assert!(error.unwrap_err().is_connection_lost());
}

#[tokio::test]
async fn a_full_pool_refuses_soon() {
    let db = with(|settings| {
        settings.max_connections = 1;
        settings.acquire_timeout_ms = 100;
    })
    .await;
    let _held = db.acquire().await.unwrap();
    let started = Instant::now();
    assert!(db.begin().await.unwrap_err().is_unavailable());
    assert!(started.elapsed() < Duration::from_secs(5));
}
