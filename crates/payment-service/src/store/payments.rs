//! The table `payments`.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use database::Result;
use sqlx::PgConnection;
use types::{OrderId, PaymentId};
use uuid::Uuid;

use super::codes;
use crate::domain::{NextCheck, Payment, State};

macro_rules! columns {
    () => {
        "id, order_id, created_at, updated_at, version, event_count, amount_minor,
         authorized_minor, captured_minor, capture_pending_minor, refunded_minor,
         refund_pending_minor, attempt, state, void_requested, currency, payment_method,
         provider_key, provider_reference, action_url, decline_code, now() as read_at"
    };
}

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

pub async fn get(conn: &mut PgConnection, id: PaymentId) -> Result<Option<Read>> {
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
pub async fn of_order(conn: &mut PgConnection, order: OrderId) -> Result<Option<Read>> {
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

fn read(row: Option<Row>) -> Result<Option<Read>> {
    let Some(row) = row else { return Ok(None) };
    let now = row.read_at;
    let payment = row.payment()?;
    Ok(Some(Read { payment, now }))
}

/// Every attempt of these orders.
pub async fn of_orders(conn: &mut PgConnection, orders: &[OrderId]) -> Result<Vec<Payment>> {
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
pub async fn freeze(conn: &mut PgConnection) -> Result<()> {
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
pub async fn lock(conn: &mut PgConnection, ids: &[PaymentId]) -> Result<Locked> {
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
    let now = rows.first().map_or(DateTime::UNIX_EPOCH, |row| row.read_at);
    let payments = payments(rows)?;
    let payments = payments.into_iter().map(|payment| (payment.id, payment));
    Ok(Locked {
        payments: payments.collect(),
        now,
    })
}

/// Writes new attempts, to be checked after `check_in`. Gives the ids of those
/// that were written, with their time; the others met an attempt that is there
/// already, or a live payment of their order.
pub async fn insert(
    conn: &mut PgConnection,
    new: &[&Payment],
    check_in: Duration,
) -> Result<HashMap<PaymentId, DateTime<Utc>>> {
    let rows: Vec<(Uuid, DateTime<Utc>)> = sqlx::query_as(
        "insert into payments
             (id, order_id, attempt, state, currency, amount_minor, payment_method, provider_key,
              next_check_at)
         select id, order_id, attempt, state, currency, amount_minor, payment_method, provider_key,
                now() + make_interval(secs => $9)
         from unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::smallint[], $5::text[],
                     $6::bigint[], $7::text[], $8::text[])
              as fresh (id, order_id, attempt, state, currency, amount_minor, payment_method,
                        provider_key)
         on conflict do nothing
         returning id, created_at",
    )
    .bind(column(new, |payment| payment.id.as_uuid()))
    .bind(column(new, |payment| payment.order_id.as_uuid()))
    .bind(column(new, |payment| {
        i16::try_from(payment.attempt).unwrap_or(i16::MAX)
    }))
    .bind(column(new, |payment| codes::of_state(payment.state)))
    .bind(column(new, |payment| payment.currency.code()))
    .bind(column(new, |payment| payment.amount_minor))
    .bind(column(new, |payment| payment.payment_method.as_str()))
    .bind(column(new, |payment| payment.provider_key.as_str()))
    .bind(check_in.as_secs_f64())
    .fetch_all(conn)
    .await?;
    let written = rows.into_iter().map(|(id, at)| (id.into(), at));
    Ok(written.collect())
}

/// A locked payment as it is to be, and when it is to be checked.
pub struct Saving<'a> {
    pub payment: &'a Payment,
    pub next_check: NextCheck,
}

/// Writes locked payments; `later` is what [`NextCheck::Later`] means.
pub async fn save(conn: &mut PgConnection, rows: &[Saving<'_>], later: Duration) -> Result<()> {
    sqlx::query(
        "update payments as stored
         set updated_at = now(),
             checks = 0,
             version = given.version,
             event_count = given.event_count,
             state = given.state,
             authorized_minor = given.authorized_minor,
             captured_minor = given.captured_minor,
             capture_pending_minor = given.capture_pending_minor,
             refunded_minor = given.refunded_minor,
             refund_pending_minor = given.refund_pending_minor,
             void_requested = given.void_requested,
             provider_reference = given.provider_reference,
             action_url = given.action_url,
             decline_code = given.decline_code,
             next_check_at = case given.next_check
                 when 0 then stored.next_check_at
                 when 1 then null
                 when 2 then now() + make_interval(secs => $15)
                 else now()
             end
         from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::smallint[], $5::bigint[],
                     $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bool[],
                     $11::text[], $12::text[], $13::text[], $14::smallint[])
              as given (id, version, event_count, state, authorized_minor, captured_minor,
                        capture_pending_minor, refunded_minor, refund_pending_minor,
                        void_requested, provider_reference, action_url, decline_code, next_check)
         where stored.id = given.id",
    )
    .bind(column(rows, |row| row.payment.id.as_uuid()))
    .bind(column(rows, |row| row.payment.version))
    .bind(column(rows, |row| row.payment.event_count))
    .bind(column(rows, |row| codes::of_state(row.payment.state)))
    .bind(column(rows, |row| row.payment.authorized_minor))
    .bind(column(rows, |row| row.payment.captured_minor))
    .bind(column(rows, |row| row.payment.capture_pending_minor))
    .bind(column(rows, |row| row.payment.refunded_minor))
    .bind(column(rows, |row| row.payment.refund_pending_minor))
    .bind(column(rows, |row| row.payment.void_requested))
    .bind(column(rows, |row| row.payment.provider_reference.clone()))
    .bind(column(rows, |row| row.payment.action_url.clone()))
    .bind(column(rows, |row| row.payment.decline_code.clone()))
    .bind(column(rows, |row| of_next_check(row.next_check)))
    .bind(later.as_secs_f64())
    .execute(conn)
    .await?;
    Ok(())
}

fn of_next_check(next_check: NextCheck) -> i16 {
    match next_check {
        NextCheck::AsPlanned => 0,
        NextCheck::Never => 1,
        NextCheck::Later => 2,
        NextCheck::Now => 3,
    }
}

/// Plans a check `within` that time at the latest, unless one comes sooner.
pub async fn check_within(
    conn: &mut PgConnection,
    ids: &[PaymentId],
    within: Duration,
) -> Result<()> {
    let ids: Vec<Uuid> = ids.iter().map(PaymentId::as_uuid).collect();
    sqlx::query(
        "update payments
         set next_check_at = least(next_check_at, now() + make_interval(secs => $2))
         where id = any($1)",
    )
    .bind(ids)
    .bind(within.as_secs_f64())
    .execute(conn)
    .await?;
    Ok(())
}

/// Claims payments whose check is due, until `lease` from now or, where checks
/// have been in vain before, for longer; in vain means that nothing changed.
pub async fn claim_due(
    conn: &mut PgConnection,
    limit: i64,
    lease: Duration,
    pause_max: Duration,
) -> Result<Vec<PaymentId>> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "update payments
         set checks = least(checks + 1, 1000),
             next_check_at = now() + make_interval(
                 secs => greatest($2, least(power(2, least(checks, 30)), $3)))
         where id in (
             select id
             from payments
             where next_check_at <= now()
             order by next_check_at
             limit $1
             for update skip locked
         )
         returning id",
    )
    .bind(limit)
    .bind(lease.as_secs_f64())
    .bind(pause_max.as_secs_f64())
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(PaymentId::from_uuid).collect())
}

/// Plans no more checks of a payment that has not changed since `version`.
pub async fn rest(conn: &mut PgConnection, id: PaymentId, version: i64) -> Result<()> {
    sqlx::query(
        "update payments
         set next_check_at = null, checks = 0
         where id = $1
           and version = $2
           and next_check_at is not null",
    )
    .bind(id.as_uuid())
    .bind(version)
    .execute(conn)
    .await?;
    Ok(())
}

/// Where a list goes on: after this row.
pub type Cursor = (DateTime<Utc>, Uuid);

/// Newest first.
pub async fn list(
    conn: &mut PgConnection,
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
    conn: &mut PgConnection,
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

/// After every row; within what Postgres can hold.
pub(super) fn far_future() -> DateTime<Utc> {
    DateTime::from_timestamp(253_402_300_799, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// One column of many rows, for `unnest`.
pub(super) fn column<'r, R, T>(rows: &'r [R], value: impl Fn(&'r R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}
