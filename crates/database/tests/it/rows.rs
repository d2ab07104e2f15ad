//! One table of numbers, which most tests here write to.

use database::{Database, Result, Tx};
use testkit::TestDatabase;

pub(crate) async fn numbers() -> TestDatabase {
    let fresh = testkit::database(&[]).await;
    let mut conn = fresh.db.acquire().await.unwrap();
    sqlx::query("create table numbers (n bigint primary key)")
        .execute(&mut *conn)
        .await
        .unwrap();
    drop(conn);
    fresh
}

pub(crate) async fn insert(tx: &mut Tx, n: i64) -> Result<()> {
    sqlx::query("insert into numbers (n) values ($1)")
        .bind(n)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Writes outside a transaction; `Ok` means that the server acknowledged it.
pub(crate) async fn insert_alone(db: &Database, n: i64) -> Result<()> {
    let mut conn = db.acquire().await?;
    sqlx::query("insert into numbers (n) values ($1)")
        .bind(n)
        .execute(&mut *conn)
        .await?;
    Ok(())
}

/// What another program sees.
pub(crate) async fn seen_from_outside(fresh: &TestDatabase) -> Vec<i64> {
    let other = Database::connect(&fresh.settings, "outside").await.unwrap();
    let mut conn = other.acquire().await.unwrap();
    sqlx::query_scalar("select n from numbers order by n")
        .fetch_all(&mut *conn)
        .await
        .unwrap()
}
