use std::sync::atomic::{AtomicU32, Ordering};

use database::{Database, Result};
use sqlx::Executor;
use testkit::TestDatabase;

use crate::rows::{insert, numbers, seen_from_outside};

/// Runs `sql` in a transaction that also inserts a row, and counts the runs.
async fn runs_of(fresh: &TestDatabase, sql: &'static str) -> (Result<()>, u32) {
    let runs = AtomicU32::new(0);
    let result = fresh
        .db
        .retry(async || {
            let run = runs.fetch_add(1, Ordering::Relaxed);
            let mut tx = fresh.db.begin().await?;
            insert(&mut tx, i64::from(run)).await?;
            tx.execute(sql).await?;
            tx.commit().await
        })
        .await;
    (result, runs.into_inner())
}

#[tokio::test]
async fn lost_races_are_run_again_three_times_and_leave_nothing() {
    for raise in [
        "do $$ begin raise 'lost' using errcode = '40001'; end $$",
        "do $$ begin raise 'lost' using errcode = '40P01'; end $$",
        "do $$ begin raise 'lost' using errcode = '55P03'; end $$",
        "select pg_terminate_backend(pg_backend_pid())",
    ] {
        let fresh = numbers().await;
        let (result, runs) = runs_of(&fresh, raise).await;
        assert!(result.is_err());
        assert_eq!(runs, 4, "{raise}");
        assert_eq!(seen_from_outside(&fresh).await, [0; 0]);
    }
}

#[tokio::test]
async fn other_failures_are_not_run_again() {
    let fresh = numbers().await;
    let (result, runs) = runs_of(&fresh, "select 1 / 0").await;
    assert_eq!(result.unwrap_err().code().as_deref(), Some("22012"));
    assert_eq!(runs, 1);
}

#[tokio::test]
async fn the_first_success_ends_it() {
    let fresh = numbers().await;
    let mut conn = fresh.db.acquire().await.unwrap();
    conn.execute("create sequence turns").await.unwrap();
    let lost_once = "do $$ begin
        if nextval('turns') = 1 then raise 'lost' using errcode = '40001'; end if;
    end $$";
    let (result, runs) = runs_of(&fresh, lost_once).await;
    result.unwrap();
    assert_eq!(runs, 2);
    assert_eq!(seen_from_outside(&fresh).await, [1]);
}

/// Each locks its own row first, then the other's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_transactions_that_deadlock_both_end() {
    let fresh = numbers().await;
    let mut tx = fresh.db.begin().await.unwrap();
    insert(&mut tx, 1).await.unwrap();
    insert(&mut tx, 2).await.unwrap();
    tx.commit().await.unwrap();
    let both_wait = tokio::sync::Barrier::new(2);
    let first_runs = AtomicU32::new(0);
    let lock_both = async |first: i64, second: i64| -> Result<()> {
        let mut tx = fresh.db.begin().await?;
        lock(&mut tx, first).await?;
        if first_runs.fetch_add(1, Ordering::SeqCst) < 2 {
            both_wait.wait().await;
        }
        lock(&mut tx, second).await?;
        tx.commit().await
    };
    let (one, other) = tokio::join!(
        fresh.db.retry(|| lock_both(1, 2)),
        fresh.db.retry(|| lock_both(2, 1)),
    );
    one.unwrap();
    other.unwrap();
    assert!(first_runs.into_inner() > 2, "they did not deadlock");
}

async fn lock(tx: &mut database::Tx, n: i64) -> Result<()> {
    sqlx::query("select n from numbers where n = $1 for update")
        .bind(n)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// After a fail-over the pooled connections lead to a read-only standby.
#[tokio::test]
async fn connections_to_a_read_only_server_are_replaced() {
    let mut fresh = numbers().await;
    fresh.settings.max_connections = 3;
    let db = Database::connect(&fresh.settings, "test").await.unwrap();
    let mut all = Vec::new();
    for _ in 0..3 {
        let mut conn = db.acquire().await.unwrap();
        conn.execute("set default_transaction_read_only = on")
            .await
            .unwrap();
        all.push(conn);
    }
    drop(all);
    let runs = AtomicU32::new(0);
    db.retry(async || {
        runs.fetch_add(1, Ordering::Relaxed);
        let mut tx = db.begin().await?;
        insert(&mut tx, 1).await?;
        tx.commit().await
    })
    .await
    .unwrap();
    assert_eq!(runs.into_inner(), 2);
    assert_eq!(seen_from_outside(&fresh).await, [1]);
}

#[tokio::test]
async fn a_restart_of_the_server_fails_no_transaction_begun_after_it() {
    let mut own = testkit::TestPostgres::start().await;
    let fresh = own.database(&[]).await;
    let conns = [fresh.db.acquire().await, fresh.db.acquire().await];
    drop(conns);
    own.crash().await;
    own.restart().await;
    for _ in 0..5 {
        let mut tx = fresh.db.begin().await.unwrap();
        tx.execute("select 1").await.unwrap();
        tx.commit().await.unwrap();
    }
}
