//! The table `payments`: rows, reads and locks.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use database::{Connection, Result};
use types::{OrderId, PaymentId};
use uuid::Uuid;

use super::codes;
use crate::domain::Payment;

macro_rules! columns {
    () => {
        "id, order_id, created_at, updated_at, version, event_count, amount_minor,
         authorized_minor, captured_minor, capture_pending_minor, refunded_minor,
         refund_pending_minor, attempt, state, void_requested, currency, payment_method,
         provider_key, provider_reference, action_url, decline_code, traceparent,
         now() as read_at"
    };
}

mod adopt;
mod checks;
mod list;
mod write;

pub use adopt::{adopt, unfinished};
pub use checks::{Due, check_within, claim_due, rest};
pub use list::{Cursor, list, list_of_order};
pub use write::{Saving, insert, save};

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    order_id: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
    event_count: i64,
    amount_minor: i64,
    authorized_minor: i64,
    captured_minor: i64,
    capture_pending_minor: i64,
    refunded_minor: i64,
    refund_pending_minor: i64,
    attempt: i16,
    state: i16,
    void_requested: bool,
    currency: String,
    payment_method: String,
    provider_key: String,
    provider_reference: Option<String>,
    action_url: Option<String>,
    decline_code: Option<String>,
    traceparent: Option<String>,
    read_at: DateTime<Utc>,
}

impl Row {
    fn payment(self) -> sqlx::Result<Payment> {
        Ok(Payment {
            id: self.id.into(),
            order_id: self.order_id.into(),
            attempt: self.attempt.into(),
            state: codes::state(self.state)?,
            currency: codes::currency(&self.currency)?,
            amount_minor: self.amount_minor,
            authorized_minor: self.authorized_minor,
            captured_minor: self.captured_minor,
            capture_pending_minor: self.capture_pending_minor,
            refunded_minor: self.refunded_minor,
            refund_pending_minor: self.refund_pending_minor,
            payment_method: self.payment_method,
            provider_key: self.provider_key,
            provider_reference: self.provider_reference,
            action_url: self.action_url,
            decline_code: self.decline_code,
            traceparent: self.traceparent,
            void_requested: self.void_requested,
            version: self.version,
            event_count: self.event_count,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

fn payments(rows: Vec<Row>) -> Result<Vec<Payment>> {
    let payments: sqlx::Result<Vec<Payment>> = rows.into_iter().map(Row::payment).collect();
    Ok(payments?)
}

/// A payment and the database's time.
pub struct Read {
    pub payment: Payment,
    pub now: DateTime<Utc>,
}

pub async fn get(conn: &mut Connection, id: PaymentId) -> Result<Option<Read>> {
    let row: Option<Row> = sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from payments where id = $1"
    ))
    .bind(id.as_uuid())
    .fetch_optional(conn)
    .await?;
    read(row)
}

/// The latest attempt of an order.
pub async fn of_order(conn: &mut Connection, order: OrderId) -> Result<Option<Read>> {
    let row: Option<Row> = sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from payments
         where order_id = $1
         order by attempt desc
         limit 1"
    ))
    .bind(order.as_uuid())
    .fetch_optional(conn)
    .await?;
    read(row)
}

/// The live attempt of an order, or else its latest one.
pub async fn live_of_order(conn: &mut Connection, order: OrderId) -> Result<Option<Read>> {
    let row: Option<Row> = sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from payments
         where order_id = $1
         order by state between 1 and 6 desc, attempt desc
         limit 1"
    ))
    .bind(order.as_uuid())
    .fetch_optional(conn)
    .await?;
    read(row)
}

fn read(row: Option<Row>) -> Result<Option<Read>> {
    let Some(row) = row else { return Ok(None) };
    let now = row.read_at;
    let payment = row.payment()?;
    Ok(Some(Read { payment, now }))
}

/// Every attempt of these orders.
pub async fn of_orders(conn: &mut Connection, orders: &[OrderId]) -> Result<Vec<Payment>> {
    let ids: Vec<Uuid> = orders.iter().map(OrderId::as_uuid).collect();
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from payments
         where order_id = any($1)"
    ))
    .bind(ids)
    .fetch_all(conn)
    .await?;
    payments(rows)
}

/// To be called first in a transaction that only reads: all of it sees one
/// state.
pub async fn freeze(conn: &mut Connection) -> Result<()> {
    sqlx::query("set transaction isolation level repeatable read, read only")
        .execute(conn)
        .await?;
    Ok(())
}

/// Locked payments and the time of the transaction that holds them.
pub struct Locked {
    pub payments: HashMap<PaymentId, Payment>,
    pub now: DateTime<Utc>,
}

/// Locks rows in one order everywhere. Those that are not there are left out.
pub async fn lock(conn: &mut Connection, ids: &[PaymentId]) -> Result<Locked> {
    let ids: Vec<Uuid> = ids.iter().map(PaymentId::as_uuid).collect();
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from payments
         where id = any($1)
         order by id
         for update"
    ))
    .bind(ids)
    .fetch_all(conn)
    .await?;
    locked(rows)
}

/// The same without a lock. Only a planted bug does so.
pub async fn look(conn: &mut Connection, ids: &[PaymentId]) -> Result<Locked> {
    let ids: Vec<Uuid> = ids.iter().map(PaymentId::as_uuid).collect();
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from payments where id = any($1)"
    ))
    .bind(ids)
    .fetch_all(conn)
    .await?;
    locked(rows)
}

fn locked(rows: Vec<Row>) -> Result<Locked> {
    let now = rows.first().map_or(DateTime::UNIX_EPOCH, |row| row.read_at);
    let payments = payments(rows)?;
    let payments = payments.into_iter().map(|payment| (payment.id, payment));
    Ok(Locked {
        payments: payments.collect(),
        now,
    })
}

/// After every row; within what Postgres can hold.
pub(super) fn far_future() -> DateTime<Utc> {
    DateTime::from_timestamp(253_402_300_799, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// One column of many rows, for `unnest`.
pub(super) fn column<'r, R, T>(rows: &'r [R], value: impl Fn(&'r R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}
