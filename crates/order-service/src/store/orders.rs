//! The table `orders`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use database::Connection;
use sqlx::types::Json;
use types::{Money, OrderId};
use uuid::Uuid;

use super::order_lines;
use super::rows::{OrderRow, WholeOrderRow, order_columns, order_lines_column};
use crate::domain::{Order, Reach, State, Target};

/// When the saga of a written order goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// At once, by the one who writes: the lease is renewed.
    Now,
    /// Later, by whoever is free then: the lease ends.
    In(Duration),
    /// Never, as things stand: the lease ends.
    Never,
}

/// One order to be written.
#[derive(Debug, Clone, Copy)]
pub struct Save<'a> {
    pub order: &'a Order,
    /// The epoch under which the writer read it; a higher one in the table
    /// means that the writer is fenced.
    pub read_epoch: i64,
    /// With the epoch it makes a write that is repeated after a lost answer
    /// find nothing to do.
    pub read_sequence: i64,
    pub next: Next,
}

/// The times that the statements need.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    pub lease: Duration,
    /// How long a customer has for what a payment needs.
    pub action: Duration,
}

/// Inserts orders with their lines, each claimed by the caller. Gives the time
/// at which they were created.
pub async fn insert(
    conn: &mut Connection,
    orders: &[Order],
    lease: Duration,
) -> database::Result<Option<DateTime<Utc>>> {
    let each = || orders.iter();
    let created: Vec<DateTime<Utc>> = sqlx::query_scalar(
        "insert into orders (
             id, customer_id, reference, currency, payment_method, capture_method,
             expected_total_minor, total_minor, state, sequence, stock, payment, capture,
             epoch, lease_until, next_run_at)
         select id, customer_id, reference, currency, payment_method, capture_method,
                expected_total_minor, total_minor, state, sequence, stock, payment, capture,
                epoch, now() + make_interval(secs => $15), now()
         from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::smallint[],
                     $7::bigint[], $8::bigint[], $9::smallint[], $10::bigint[], $11::smallint[],
                     $12::smallint[], $13::smallint[], $14::bigint[])
              as fresh (id, customer_id, reference, currency, payment_method, capture_method,
                        expected_total_minor, total_minor, state, sequence, stock, payment,
                        capture, epoch)
         returning created_at",
    )
    .bind(each().map(|o| o.id.as_uuid()).collect::<Vec<_>>())
    .bind(each().map(|o| o.customer_id.as_str()).collect::<Vec<_>>())
    .bind(each().map(|o| o.reference.as_str()).collect::<Vec<_>>())
    .bind(each().map(|o| o.currency.code()).collect::<Vec<_>>())
    .bind(
        each()
            .map(|o| o.payment_method.as_str())
            .collect::<Vec<_>>(),
    )
    .bind(
        each()
            .map(|o| o.capture_method.number())
            .collect::<Vec<_>>(),
    )
    .bind(
        each()
            .map(|o| o.expected_total.map(Money::minor))
            .collect::<Vec<_>>(),
    )
    .bind(
        each()
            .map(|o| o.total.map(Money::minor))
            .collect::<Vec<_>>(),
    )
    .bind(each().map(|o| o.state.number()).collect::<Vec<_>>())
    .bind(each().map(|o| o.sequence).collect::<Vec<_>>())
    .bind(each().map(|o| o.saga.stock.number()).collect::<Vec<_>>())
    .bind(each().map(|o| o.saga.payment.number()).collect::<Vec<_>>())
    .bind(each().map(|o| o.saga.capture.number()).collect::<Vec<_>>())
    .bind(each().map(|o| o.saga.epoch).collect::<Vec<_>>())
    .bind(lease.as_secs_f64())
    .fetch_all(&mut *conn)
    .await?;
    order_lines::insert(conn, orders).await?;
    Ok(created.first().copied())
}

/// Writes orders whose epoch is still the one that was read, and gives the ids
/// and new epochs of those with the time of their change. A missing one is fenced: somebody
/// else has claimed it since.
pub async fn save(
    conn: &mut Connection,
    saves: &[Save<'_>],
    times: Times,
) -> database::Result<Vec<(Uuid, i64, DateTime<Utc>)>> {
    let each = || saves.iter().map(|save| save.order);
    let saved = sqlx::query_as(
        "update orders as o
         set state = g.state,
             reason_code = g.reason_code,
             reason_message = g.reason_message,
             total_minor = g.total_minor,
             captured_minor = g.captured_minor,
             refunded_minor = g.refunded_minor,
             refund_pending_minor = g.refund_pending_minor,
             payment_id = g.payment_id,
             action_url = g.action_url,
             action_deadline = case
                 when g.state = 2 and o.state = 1 then now() + make_interval(secs => $24)
                 else o.action_deadline end,
             sequence = g.sequence,
             stock = g.stock,
             payment = g.payment,
             capture = g.capture,
             payment_attempt = g.payment_attempt,
             target = g.target,
             stopped_in = g.stopped_in,
             refusal = g.refusal,
             epoch = g.epoch,
             tries = g.tries,
             last_error = g.last_error,
             lease_until = case when g.wait_ms = 0 then now() + make_interval(secs => $25) end,
             next_run_at = case
                 when g.wait_ms = 0 then least(coalesce(o.next_run_at, now()), now())
                 else now() + g.wait_ms * interval '1 millisecond' end,
             began_at = case
                 when o.state <> g.state or o.next_run_at is null then now()
                 else o.began_at end,
             updated_at = case when o.sequence <> g.sequence then now() else o.updated_at end
         from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::smallint[], $5::text[],
                     $6::text[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[],
                     $11::uuid[], $12::text[], $13::bigint[], $14::smallint[], $15::smallint[],
                     $16::smallint[], $17::smallint[], $18::smallint[], $19::smallint[],
                     $20::jsonb[], $21::integer[], $22::text[], $23::bigint[], $26::bigint[])
              as g (id, read_epoch, epoch, state, reason_code, reason_message, total_minor,
                    captured_minor, refunded_minor, refund_pending_minor, payment_id, action_url,
                    sequence, stock, payment, capture, payment_attempt, target, stopped_in,
                    refusal, tries, last_error, wait_ms, read_sequence)
         where o.id = g.id
           and o.epoch = g.read_epoch
           and o.sequence = g.read_sequence
         returning o.id, o.epoch, o.updated_at",
    )
    .bind(each().map(|o| o.id.as_uuid()).collect::<Vec<_>>())
    .bind(saves.iter().map(|save| save.read_epoch).collect::<Vec<_>>())
    .bind(each().map(|o| o.saga.epoch).collect::<Vec<_>>())
    .bind(each().map(|o| o.state.number()).collect::<Vec<_>>())
    .bind(each().map(|o| o.reason.code.as_str()).collect::<Vec<_>>())
    .bind(
        each()
            .map(|o| o.reason.message.as_str())
            .collect::<Vec<_>>(),
    )
    .bind(
        each()
            .map(|o| o.total.map(Money::minor))
            .collect::<Vec<_>>(),
    )
    .bind(each().map(|o| o.captured_minor).collect::<Vec<_>>())
    .bind(each().map(|o| o.refunded_minor).collect::<Vec<_>>())
    .bind(each().map(|o| o.refund_pending_minor).collect::<Vec<_>>())
    .bind(
        each()
            .map(|o| o.payment_id.map(Uuid::from))
            .collect::<Vec<_>>(),
    )
    .bind(each().map(|o| o.action_url.as_str()).collect::<Vec<_>>())
    .bind(each().map(|o| o.sequence).collect::<Vec<_>>())
    .bind(each().map(|o| o.saga.stock.number()).collect::<Vec<_>>())
    .bind(each().map(|o| o.saga.payment.number()).collect::<Vec<_>>())
    .bind(each().map(|o| o.saga.capture.number()).collect::<Vec<_>>())
    .bind(each().map(|o| o.saga.attempt).collect::<Vec<_>>())
    .bind(
        each()
            .map(|o| o.saga.target.map(Target::state).map(State::number))
            .collect::<Vec<_>>(),
    )
    .bind(
        each()
            .map(|o| o.saga.stopped_in.map(State::number))
            .collect::<Vec<_>>(),
    )
    .bind(
        each()
            .map(|o| o.saga.refusal.as_ref().map(Json))
            .collect::<Vec<_>>(),
    )
    .bind(each().map(|o| o.saga.tries).collect::<Vec<_>>())
    .bind(
        each()
            .map(|o| o.saga.last_error.as_str())
            .collect::<Vec<_>>(),
    )
    .bind(
        saves
            .iter()
            .map(|save| wait_ms(save.next))
            .collect::<Vec<_>>(),
    )
    .bind(times.action.as_secs_f64())
    .bind(times.lease.as_secs_f64())
    .bind(
        saves
            .iter()
            .map(|save| save.read_sequence)
            .collect::<Vec<_>>(),
    )
    .fetch_all(conn)
    .await?;
    Ok(saved)
}

/// 0: at once; null: never.
fn wait_ms(next: Next) -> Option<i64> {
    match next {
        Next::Now => Some(0),
        Next::In(wait) => Some(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX).max(1)),
        Next::Never => None,
    }
}

/// The order, locked until the transaction ends, and whether its customer is
/// too late.
pub async fn lock(
    conn: &mut Connection,
    id: OrderId,
    reach: &Reach,
) -> database::Result<Option<(Order, bool)>> {
    let row: Option<OrderRow> = sqlx::query_as(concat!(
        "select ",
        order_columns!(),
        " from orders
         where id = $1
           and ($2::text is null or customer_id = $2)
         for no key update"
    ))
    .bind(id.as_uuid())
    .bind(reach.customer())
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let overdue = row.action_overdue;
    let mut orders = vec![row.order()?];
    order_lines::load(conn, &mut orders).await?;
    Ok(orders.pop().map(|order| (order, overdue)))
}

/// Those of `ids` that exist within reach, in no particular order.
pub async fn get(
    conn: &mut Connection,
    ids: &[OrderId],
    reach: &Reach,
) -> database::Result<Vec<Order>> {
    let rows: Vec<WholeOrderRow> = sqlx::query_as(concat!(
        "select ",
        order_columns!(),
        ", ",
        order_lines_column!(),
        " from orders
         where id = any($1)
           and ($2::text is null or customer_id = $2)"
    ))
    .bind(ids.iter().map(OrderId::as_uuid).collect::<Vec<_>>())
    .bind(reach.customer())
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(WholeOrderRow::order).collect()
}

/// Where an order stands, and nothing else of it.
pub async fn state(conn: &mut Connection, id: OrderId) -> database::Result<Option<State>> {
    let number: Option<i16> = sqlx::query_scalar("select state from orders where id = $1")
        .bind(id.as_uuid())
        .fetch_optional(conn)
        .await?;
    Ok(number.and_then(State::from_number))
}

/// Which orders a list shows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub customer_id: Option<String>,
    pub state: Option<State>,
}

/// One statement per filter, so that each has the plan that it needs.
macro_rules! list_where {
    ($filter:literal) => {
        concat!(
            "select ",
            order_columns!(),
            ", ",
            order_lines_column!(),
            " from orders
             where ",
            $filter,
            " and (created_at, id) < (
                     coalesce($3::timestamptz, 'infinity'),
                     coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
             order by created_at desc, id desc
             limit $5"
        )
    };
}

/// Newest first, after a place in the list.
pub async fn list(
    conn: &mut Connection,
    filter: &Filter,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> database::Result<Vec<Order>> {
    let statement = match (&filter.customer_id, filter.state) {
        (None, None) => list_where!("$1::text is null and $2::smallint is null"),
        (Some(_), None) => list_where!("customer_id = $1 and $2::smallint is null"),
        (None, Some(_)) => list_where!("$1::text is null and state = $2"),
        (Some(_), Some(_)) => list_where!("customer_id = $1 and state = $2"),
    };
    let rows: Vec<WholeOrderRow> = sqlx::query_as(statement)
        .bind(filter.customer_id.as_deref())
        .bind(filter.state.map(State::number))
        .bind(after.map(|(time, _)| time))
        .bind(after.map(|(_, id)| id))
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(WholeOrderRow::order).collect()
}

/// Under a lock or a claim, where nobody else writes the lines.
pub(super) async fn with_lines(
    conn: &mut Connection,
    rows: Vec<OrderRow>,
) -> database::Result<Vec<Order>> {
    let mut orders = Vec::with_capacity(rows.len());
    for row in rows {
        orders.push(row.order()?);
    }
    order_lines::load(conn, &mut orders).await?;
    Ok(orders)
}
