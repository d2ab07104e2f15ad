use std::sync::atomic::{AtomicU32, Ordering};

use database::{Database, Error};
use sqlx::Executor;

use crate::rows::{insert, numbers, seen_from_outside};

#[tokio::test]
async fn a_refused_row_names_its_constraint() {
    let fresh = numbers().await;
    let mut tx = fresh.db.begin().await.unwrap();
    insert(&mut tx, 1).await.unwrap();
    let error = insert(&mut tx, 1).await.unwrap_err();
    assert_eq!(error.constraint(), Some("numbers_pkey"));
    assert_eq!(error.code().as_deref(), Some("23505"));
    assert!(!error.is_transient() && !error.is_unavailable());
}

#[tokio::test]
async fn a_refusal_at_commit_is_definite() {
    let fresh = numbers().await;
    let mut tx = fresh.db.begin().await.unwrap();
    tx.execute(
        "create table pairs (
           n bigint constraint pairs_once unique deferrable initially deferred
         );
         insert into pairs (n) values (1), (1);",
    )
    .await
    .unwrap();
    let error = tx.commit().await.unwrap_err();
    assert_eq!(error.constraint(), Some("pairs_once"));
    assert!(!error.is_outcome_unknown());
}

#[tokio::test]
async fn a_commit_without_an_answer_is_unknown_and_not_repeated() {
    let fresh = numbers().await;
    let mut conn = fresh.db.acquire().await.unwrap();
    conn.execute(
        "create function die() returns trigger
         language plpgsql
         as $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$;
         create constraint trigger die
         after insert on numbers
         deferrable initially deferred
         for each row execute function die();",
    )
    .await
    .unwrap();
    drop(conn);
    let runs = AtomicU32::new(0);
    let error = fresh
        .db
        .retry(async || {
            runs.fetch_add(1, Ordering::Relaxed);
            let mut tx = fresh.db.begin().await?;
            insert(&mut tx, 1).await?;
            tx.commit().await
        })
        .await
        .unwrap_err();
    assert!(error.is_outcome_unknown(), "{error:?}");
    assert!(error.is_unavailable());
    assert_eq!(runs.into_inner(), 1);
    assert_eq!(seen_from_outside(&fresh).await, [0; 0]);
}

#[tokio::test]
async fn a_server_that_is_down_is_unavailable() {
    let url = format!("postgres://nobody@127.0.0.1:{}/none", testkit::free_port());
    let settings = database::Settings::new(url);
    let db = Database::connect(&settings, "test").await.unwrap();
    let errors: [Error; 3] = [
        db.begin().await.unwrap_err(),
        db.acquire().await.unwrap_err(),
        db.ping().await.unwrap_err(),
    ];
    for error in errors {
        assert!(error.is_unavailable(), "{error:?}");
    }
}

#[tokio::test]
async fn a_closed_pool_is_unavailable() {
    let fresh = numbers().await;
    fresh.db.ping().await.unwrap();
    fresh.db.close().await;
    assert!(fresh.db.begin().await.unwrap_err().is_unavailable());
}
