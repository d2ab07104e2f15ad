//! New attempts, and what becomes of them.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use database::{Connection, Result};
use types::PaymentId;
use uuid::Uuid;

use super::column;
use crate::domain::{NextCheck, Payment};
use crate::store::codes;

/// Writes new attempts, to be checked after `check_in`. Gives the ids of those
/// that were written, with their time; the others met an attempt that is there
/// already, or a live payment of their order.
pub async fn insert(
    conn: &mut Connection,
    new: &[&Payment],
    check_in: Duration,
) -> Result<HashMap<PaymentId, DateTime<Utc>>> {
    let rows: Vec<(Uuid, DateTime<Utc>)> = sqlx::query_as(
        "insert into payments
             (id, order_id, attempt, state, currency, amount_minor, payment_method, provider_key,
              traceparent, next_check_at)
         select id, order_id, attempt, state, currency, amount_minor, payment_method, provider_key,
                traceparent, now() + make_interval(secs => $10)
         from unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::smallint[], $5::text[],
                     $6::bigint[], $7::text[], $8::text[], $9::text[])
              as fresh (id, order_id, attempt, state, currency, amount_minor, payment_method,
                        provider_key, traceparent)
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
    .bind(column(new, |payment| payment.traceparent.as_deref()))
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
pub async fn save(conn: &mut Connection, rows: &[Saving<'_>], later: Duration) -> Result<()> {
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
