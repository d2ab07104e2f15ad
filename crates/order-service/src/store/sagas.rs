//! Claims on orders: who works on which, and which are due.

use std::time::Duration;

use chrono::{DateTime, Utc};
use database::Connection;
use types::OrderId;
use uuid::Uuid;

use super::order_works;
use super::orders::with_lines;
use super::rows::{OrderRow, order_columns};
use crate::domain::{Case, Order};

/// An order that is now ours, and for how long its saga has been at work.
#[derive(Debug)]
pub struct Claimed {
    pub case: Case,
    pub age: Duration,
}

/// Claims orders that are due and that nobody works on, those that failed
/// before also when they will be due `ahead` from now. Raises their epochs,
/// which fences whoever worked on them before.
pub async fn claim_due(
    conn: &mut Connection,
    limit: i64,
    ahead: Duration,
    lease: Duration,
) -> database::Result<Vec<Claimed>> {
    let rows: Vec<OrderRow> = sqlx::query_as(concat!(
        "with due as materialized (
             select id as due_id from orders
             where next_run_at <= now() + make_interval(secs => $3)
               and (next_run_at <= now() or tries > 0)
               and (lease_until is null or lease_until < now())
             order by next_run_at
             limit $1
             for no key update skip locked
         )
         update orders
         set epoch = epoch + 1,
             lease_until = now() + make_interval(secs => $2)
         from due
         where id = due_id
         returning ",
        order_columns!()
    ))
    .bind(limit)
    .bind(lease.as_secs_f64())
    .bind(ahead.as_secs_f64())
    .fetch_all(&mut *conn)
    .await?;
    let facts: Vec<(bool, i64)> = rows
        .iter()
        .map(|row| (row.action_overdue, row.age_ms))
        .collect();
    let orders = with_lines(conn, rows).await?;
    let ids: Vec<OrderId> = orders.iter().map(|order| order.id).collect();
    let mut works = order_works::running(conn, &ids).await?;
    let claimed = orders
        .into_iter()
        .zip(facts)
        .map(|(order, (overdue, age_ms))| {
            let works = works.remove(&order.id).unwrap_or_default();
            Claimed {
                case: Case::loaded(order, works, overdue),
                age: Duration::from_millis(u64::try_from(age_ms).unwrap_or(0)),
            }
        });
    Ok(claimed.collect())
}

/// Renews leases that are still ours. Rows that are locked are being written,
/// which renews them too.
pub async fn renew(
    conn: &mut Connection,
    claims: &[(OrderId, i64)],
    lease: Duration,
) -> database::Result<()> {
    set_lease(conn, claims, lease.as_secs_f64()).await
}

/// Gives claims back at once, so that another process can go on.
pub async fn release(conn: &mut Connection, claims: &[(OrderId, i64)]) -> database::Result<()> {
    set_lease(conn, claims, -1.0).await
}

async fn set_lease(
    conn: &mut Connection,
    claims: &[(OrderId, i64)],
    secs: f64,
) -> database::Result<()> {
    if claims.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "with ours as materialized (
             select o.id from orders o
             join unnest($1::uuid[], $2::bigint[]) as g (id, epoch)
               on o.id = g.id and o.epoch = g.epoch
             where o.lease_until is not null
             for no key update of o skip locked
         )
         update orders o
         set lease_until = now() + make_interval(secs => $3)
         from ours
         where o.id = ours.id",
    )
    .bind(
        claims
            .iter()
            .map(|(id, _)| id.as_uuid())
            .collect::<Vec<_>>(),
    )
    .bind(claims.iter().map(|(_, epoch)| *epoch).collect::<Vec<_>>())
    .bind(secs)
    .execute(conn)
    .await?;
    Ok(())
}

/// For how long the oldest saga is at what it is at, of those that wait neither
/// for the customer nor for a person; and how many wait for a person.
pub async fn standing(conn: &mut Connection) -> database::Result<(Duration, i64)> {
    let (oldest_ms, needing_attention): (i64, i64) = sqlx::query_as(
        "select (
                    select coalesce(
                               (extract(epoch from clock_timestamp() - min(began_at)) * 1000)::bigint,
                               0)
                    from orders
                    where next_run_at is not null
                      and state <> 2
                ),
                (select count(*) from orders where state = 9)",
    )
    .fetch_one(conn)
    .await?;
    let oldest = Duration::from_millis(u64::try_from(oldest_ms).unwrap_or(0));
    Ok((oldest, needing_attention))
}

/// Makes a saga that waits due now. Gives whether there was one.
pub async fn wake(conn: &mut Connection, order: OrderId) -> database::Result<bool> {
    let woken = sqlx::query(
        "update orders
         set next_run_at = now()
         where id = $1
           and next_run_at > now()",
    )
    .bind(order.as_uuid())
    .execute(conn)
    .await?;
    Ok(woken.rows_affected() > 0)
}

/// Orders whose saga has not ended, oldest first, after a place in the list.
pub async fn list(
    conn: &mut Connection,
    needs_attention: bool,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> database::Result<Vec<Order>> {
    let rows: Vec<OrderRow> = sqlx::query_as(concat!(
        "select ",
        order_columns!(),
        " from orders
         where (state = 9 or (not $1 and next_run_at is not null))
           and (created_at, id) > (
                     coalesce($2::timestamptz, '-infinity'),
                     coalesce($3::uuid, '00000000-0000-0000-0000-000000000000'))
         order by created_at, id
         limit $4"
    ))
    .bind(needs_attention)
    .bind(after.map(|(time, _)| time))
    .bind(after.map(|(_, id)| id))
    .bind(limit)
    .fetch_all(&mut *conn)
    .await?;
    rows.into_iter().map(OrderRow::order).collect()
}
