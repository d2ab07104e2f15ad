//! Payments in pages.

use chrono::{DateTime, Utc};
use database::{Connection, Result};
use types::OrderId;
use uuid::Uuid;

use super::{Row, far_future, payments};
use crate::domain::{Payment, State};
use crate::store::codes;

/// Where a list goes on: after this row.
pub type Cursor = (DateTime<Utc>, Uuid);

/// Newest first.
pub async fn list(
    conn: &mut Connection,
    state: Option<State>,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<Payment>> {
    let (time, id) = after.unwrap_or((far_future(), Uuid::max()));
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from payments
         where (created_at, id) < ($1, $2)
           and ($3::smallint is null or state = $3)
         order by created_at desc, id desc
         limit $4"
    ))
    .bind(time)
    .bind(id)
    .bind(state.map(codes::of_state))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    payments(rows)
}

/// Newest first, of one order.
pub async fn list_of_order(
    conn: &mut Connection,
    order: OrderId,
    state: Option<State>,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<Payment>> {
    let (time, id) = after.unwrap_or((far_future(), Uuid::max()));
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from payments
         where order_id = $1
           and (created_at, id) < ($2, $3)
           and ($4::smallint is null or state = $4)
         order by created_at desc, id desc
         limit $5"
    ))
    .bind(order.as_uuid())
    .bind(time)
    .bind(id)
    .bind(state.map(codes::of_state))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    payments(rows)
}
