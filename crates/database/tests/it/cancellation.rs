//! Callers that go away must not take the writes of others with them.

use std::time::Duration;

use database::Database;
use sqlx::Executor;

use crate::rows::{insert, insert_alone, numbers, seen_from_outside};

const WRITES: i64 = 3_000;

/// A begin that is dropped while BEGIN is on its way leaves its connection
/// inside an open block: what the next borrower writes is acknowledged, and
/// gone when the connection is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_write_is_lost_to_a_cancelled_begin() {
    let mut fresh = numbers().await;
    fresh.settings.max_connections = 3;
    let db = Database::connect(&fresh.settings, "test").await.unwrap();
    let cancelling = tokio::spawn(cancel_begins(db.clone()));
    let mut acknowledged = Vec::new();
    for n in 0..WRITES {
        if insert_alone(&db, n).await.is_ok() {
            acknowledged.push(n);
        }
    }
    cancelling.abort();
    assert!(acknowledged.len() > 100, "{}", acknowledged.len());
    assert_eq!(seen_from_outside(&fresh).await, acknowledged);
}

/// Gives up after 0 to 1 ms, so that some give up at each point of a begin.
async fn cancel_begins(db: Database) {
    for round in 0_u64.. {
        let patience = Duration::from_micros(round * 37 % 1_000);
        let begun = db.begin();
        tokio::select! {
            biased;
            _ = spin_for(patience) => {}
            _ = begun => {}
        }
    }
}

/// The runtime's timer is too coarse: it counts in milliseconds.
async fn spin_for(time: Duration) {
    let started = std::time::Instant::now();
    while started.elapsed() < time {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_block_left_open_is_ended_when_the_connection_goes_back() {
    for leave in ["begin", "begin; select 1 / 0"] {
        let mut fresh = numbers().await;
        fresh.settings.max_connections = 1;
        let db = Database::connect(&fresh.settings, "test").await.unwrap();
        let mut conn = db.acquire().await.unwrap();
        conn.execute(leave).await.ok();
        drop(conn);
        insert_alone(&db, 1).await.unwrap();
        assert_eq!(seen_from_outside(&fresh).await, [1], "after {leave}");
    }
}

#[tokio::test]
async fn a_dropped_transaction_leaves_nothing() {
    let fresh = numbers().await;
    let mut tx = fresh.db.begin().await.unwrap();
    insert(&mut tx, 1).await.unwrap();
    drop(tx);
    let mut tx = fresh.db.begin().await.unwrap();
    insert(&mut tx, 2).await.unwrap();
    tx.rollback().await.unwrap();
    let mut tx = fresh.db.begin().await.unwrap();
    insert(&mut tx, 3).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(seen_from_outside(&fresh).await, [3]);
}
