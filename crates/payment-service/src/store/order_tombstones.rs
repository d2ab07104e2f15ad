//! Orders whose payment was voided, and the lock that keeps voiding an order
//! and paying for it apart while there is no row to lock yet.

use std::collections::HashSet;

use database::{Connection, Result};
use types::OrderId;
use uuid::Uuid;

/// Keeps others from paying for or voiding these orders until the transaction
/// ends. Taken in one order everywhere.
pub async fn lock_orders(conn: &mut Connection, orders: &[OrderId]) -> Result<()> {
    let mut locks: Vec<i64> = orders.iter().map(lock_id).collect();
    locks.sort_unstable();
    locks.dedup();
    sqlx::query("select pg_advisory_xact_lock(id) from unnest($1::bigint[]) as id")
        .bind(locks)
        .execute(conn)
        .await?;
    Ok(())
}

/// The second half of a UUID is its random one.
fn lock_id(order: &OrderId) -> i64 {
    order.as_uuid().as_u64_pair().1.cast_signed()
}

/// Those of `orders` that were voided.
pub async fn among(conn: &mut Connection, orders: &[OrderId]) -> Result<HashSet<OrderId>> {
    let ids: Vec<Uuid> = orders.iter().map(OrderId::as_uuid).collect();
    let found: Vec<Uuid> = sqlx::query_scalar(
        "select order_id
         from order_tombstones
         where order_id = any($1)",
    )
    .bind(ids)
    .fetch_all(conn)
    .await?;
    Ok(found.into_iter().map(OrderId::from_uuid).collect())
}

/// Repeating it keeps the first.
pub async fn insert(conn: &mut Connection, order: OrderId, reason: &str) -> Result<()> {
    sqlx::query(
        "insert into order_tombstones (order_id, reason)
         values ($1, $2)
         on conflict (order_id) do nothing",
    )
    .bind(order.as_uuid())
    .bind(reason)
    .execute(conn)
    .await?;
    Ok(())
}
