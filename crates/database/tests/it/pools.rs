//! What is told of a pool: how full it is, and how long one waits for it.

use database::Database;
use testkit::metrics::{counted, is_counted};

use crate::rows::numbers;

#[tokio::test]
async fn a_pool_tells_how_full_it_is_for_as_long_as_it_lives() {
    let mut fresh = numbers().await;
    fresh.settings.max_connections = 3;
    telemetry::metrics::install();
    let database = fresh.url.rsplit('/').next().unwrap().to_owned();
    let own = ("db_namespace", database.as_str());
    let open = |state| counted("db_pool_connections", &[own, ("state", state)]);
    fresh.db.close().await;
    let db = Database::connect(&fresh.settings, "test").await.unwrap();
    assert_eq!((open("idle"), open("used")), (0.0, 0.0));
    let one = db.acquire().await.unwrap();
    let two = db.acquire().await.unwrap();
    assert_eq!((open("idle"), open("used")), (0.0, 2.0));
    drop(two);
    while open("idle") < 1.0 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    assert_eq!(open("used"), 1.0);
    assert_eq!(counted("db_pool_max", &[own]), 3.0);
    // A second pool of the same database is added to it.
    let other = Database::connect(&fresh.settings, "test").await.unwrap();
    assert_eq!(counted("db_pool_max", &[own]), 6.0);
    drop((one, db, other));
    assert!(!is_counted("db_pool_max", &[own]));
}

#[tokio::test]
async fn waiting_for_a_connection_is_measured_and_giving_up_is_counted() {
    let mut fresh = numbers().await;
    fresh.settings.max_connections = 1;
    fresh.settings.acquire_timeout_ms = 2_000;
    telemetry::metrics::install();
    let database = fresh.url.rsplit('/').next().unwrap().to_owned();
    let own = [("db_namespace", database.as_str())];
    let waited = |of: &str| counted(&format!("db_pool_acquire_duration_seconds_{of}"), &own);
    let db = Database::connect(&fresh.settings, "test").await.unwrap();
    let before = waited("count");
    let held = db.begin().await.unwrap();
    let (acquired, begun) = tokio::join!(db.acquire(), db.begin());
    assert!(acquired.is_err() && begun.is_err());
    assert_eq!(waited("count"), before + 3.0);
    assert!(waited("sum") >= 4.0, "{}", waited("sum"));
    assert_eq!(counted("db_pool_acquire_timeouts_total", &own), 2.0);
    drop(held);
}
