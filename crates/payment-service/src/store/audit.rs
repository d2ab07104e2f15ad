//! The invariants as SQL. Each statement gives the rows that break one, the
//! first ten of them with the number of all.

use chrono::{DateTime, Utc};
use database::{Connection, Result};
use uuid::Uuid;

use super::codes;
use crate::domain::State;

/// How many rows break an invariant, and which.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Broken {
    pub violations: i64,
    pub samples: Vec<String>,
}

/// To be called first in the transaction of an audit: it reads whole tables, at
/// one moment.
pub async fn freeze(conn: &mut Connection) -> Result<()> {
    sqlx::query("set transaction isolation level repeatable read, read only")
        .execute(&mut *conn)
        .await?;
    sqlx::query("set local statement_timeout = '60s'")
        .execute(conn)
        .await?;
    Ok(())
}

/// M1: amounts are within each other, and equal the sums of their parts.
pub async fn amounts(conn: &mut Connection) -> Result<Broken> {
    broken(
        conn,
        "select payment.id::text, count(*) over ()
         from payments as payment
         left join (
             select payment_id,
                    sum(amount_minor) filter (where state = 1) as pending,
                    sum(amount_minor) filter (where state = 2) as succeeded
             from captures
             group by payment_id
         ) as capture on capture.payment_id = payment.id
         left join (
             select payment_id,
                    sum(amount_minor) filter (where state = 1) as pending,
                    sum(amount_minor) filter (where state = 2) as succeeded
             from refunds
             group by payment_id
         ) as refund on refund.payment_id = payment.id
         where captured_minor + capture_pending_minor > authorized_minor
            or refunded_minor + refund_pending_minor > captured_minor
            or authorized_minor > amount_minor
            or least(authorized_minor, captured_minor, capture_pending_minor, refunded_minor,
                     refund_pending_minor) < 0
            or captured_minor <> coalesce(capture.succeeded, 0)
            or capture_pending_minor <> coalesce(capture.pending, 0)
            or refunded_minor <> coalesce(refund.succeeded, 0)
            or refund_pending_minor <> coalesce(refund.pending, 0)
         limit 10",
    )
    .await
}

/// M2: what ended without money has none.
pub async fn dead_without_money(conn: &mut Connection) -> Result<Broken> {
    broken(
        conn,
        "select id::text, count(*) over ()
         from payments
         where state in (7, 8, 9, 10)
           and (authorized_minor, captured_minor, capture_pending_minor) <> (0, 0, 0)
         limit 10",
    )
    .await
}

/// M3: the ledger balances, and equals the sums of the payments.
pub async fn ledger(conn: &mut Connection) -> Result<Broken> {
    broken(
        conn,
        "select wrong.id, count(*) over ()
         from (
             select 'transaction ' || transaction_id as id
             from ledger_entries
             group by transaction_id, currency
             having sum(amount_minor) <> 0
             union all
             select 'payment ' || payment.id
             from payments as payment
             left join (
                 select payment_id, currency,
                        sum(amount_minor) filter (where account = 1) as provider,
                        -sum(amount_minor) filter (where account = 2) as sales,
                        sum(amount_minor) filter (where account = 3) as refunds
                 from ledger_entries
                 group by payment_id, currency
             ) as ledger on ledger.payment_id = payment.id
             where payment.captured_minor <> coalesce(ledger.sales, 0)
                or payment.refunded_minor <> coalesce(ledger.refunds, 0)
                or payment.captured_minor - payment.refunded_minor <> coalesce(ledger.provider, 0)
                or ledger.currency <> payment.currency
         ) as wrong
         limit 10",
    )
    .await
}

/// M5: one live payment for each order, and none for a voided order.
pub async fn live_payments(conn: &mut Connection) -> Result<Broken> {
    broken(
        conn,
        "select wrong.order_id::text, count(*) over ()
         from (
             select order_id
             from payments
             where state between 1 and 6
             group by order_id
             having count(*) > 1
             union all
             select payment.order_id
             from payments as payment
             join order_tombstones as tombstone using (order_id)
             where payment.state between 1 and 6
               and not payment.void_requested
         ) as wrong
         limit 10",
    )
    .await
}

/// For M6: texts in which there are 13 digits or more, with where they are.
pub async fn long_numbers(conn: &mut Connection) -> Result<Vec<(String, String)>> {
    let found = sqlx::query_as(
        "with texts (place, content) as (
             select 'payments ' || id,
                    concat_ws(' | ', payment_method, provider_key, provider_reference, action_url,
                              decline_code)
             from payments
             union all
             select 'captures ' || id, failure_code
             from captures
             union all
             select 'refunds ' || id, concat_ws(' | ', reason, provider_reference, failure_code)
             from refunds
             union all
             select 'order_tombstones ' || order_id, reason
             from order_tombstones
             union all
             select 'webhook_events ' || event_id, concat_ws(' | ', event_id, kind)
             from webhook_events
             union all
             select 'idempotency_keys ' || method,
                    concat_ws(' | ', principal, key, encode(body, 'escape'))
             from idempotency_keys
             union all
             select 'outbox ' || event_id, encode(payload, 'escape')
             from outbox
         )
         select place, content
         from texts
         where content ~ '[0-9]([ -]?[0-9]){12}'",
    )
    .fetch_all(conn)
    .await?;
    Ok(found)
}

/// O6: of each payment the waiting events are the last ones without a gap, and
/// none waits for long.
pub async fn events(conn: &mut Connection) -> Result<Broken> {
    broken(
        conn,
        "select waiting.aggregate::text, count(*) over ()
         from (
             select aggregate,
                    count(*) as number,
                    min(sequence) as first,
                    max(sequence) as last,
                    min(created_at) as since
             from outbox
             group by aggregate
         ) as waiting
         left join payments as payment on payment.id = waiting.aggregate
         where waiting.last is distinct from payment.event_count
            or waiting.last - waiting.first + 1 <> waiting.number
            or waiting.since < now() - interval '5 minutes'
         limit 10",
    )
    .await
}

/// O8: an answer is kept exactly where its effect is, and with it.
pub async fn answers(conn: &mut Connection) -> Result<Broken> {
    broken(
        conn,
        "select stored.method || ' ' || stored.resource, count(*) over ()
         from idempotency_keys as stored
         left join payments as payment
             on stored.method = 'CreatePayment' and payment.id = stored.resource
         left join captures as capture
             on stored.method = 'CapturePayment' and capture.id = stored.resource
         left join refunds as refund
             on stored.method = 'RefundPayment' and refund.id = stored.resource
         where stored.method in ('CreatePayment', 'CapturePayment', 'RefundPayment')
           and stored.resource is not null
           and (
               coalesce(payment.id, capture.id, refund.id) is null
               or (stored.state = 1 and payment.state > 2)
               or (stored.state = 1 and capture.state > 1)
               or (stored.state = 1 and refund.state > 1)
               or (stored.code = 0 and capture.state = 3)
           )
         limit 10",
    )
    .await
}

async fn broken(conn: &mut Connection, statement: &'static str) -> Result<Broken> {
    let rows: Vec<(String, i64)> = sqlx::query_as(statement).fetch_all(conn).await?;
    Ok(Broken {
        violations: rows.first().map_or(0, |(_, all)| *all),
        samples: rows.into_iter().map(|(sample, _)| sample).collect(),
    })
}

/// A payment as far as the provider's books can be compared with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Book {
    pub id: Uuid,
    pub state: State,
    pub provider_reference: Option<String>,
    pub amount_minor: i64,
    pub captured_minor: i64,
    pub capture_pending_minor: i64,
    pub refunded_minor: i64,
    pub refund_pending_minor: i64,
    pub void_requested: bool,
    /// Something about it is to be asked of the provider.
    pub is_checked: bool,
}

#[derive(sqlx::FromRow)]
struct BookRow {
    id: Uuid,
    state: i16,
    provider_reference: Option<String>,
    amount_minor: i64,
    captured_minor: i64,
    capture_pending_minor: i64,
    refunded_minor: i64,
    refund_pending_minor: i64,
    void_requested: bool,
    is_checked: bool,
}

impl BookRow {
    fn book(self) -> sqlx::Result<Book> {
        Ok(Book {
            id: self.id,
            state: codes::state(self.state)?,
            provider_reference: self.provider_reference,
            amount_minor: self.amount_minor,
            captured_minor: self.captured_minor,
            capture_pending_minor: self.capture_pending_minor,
            refunded_minor: self.refunded_minor,
            refund_pending_minor: self.refund_pending_minor,
            void_requested: self.void_requested,
            is_checked: self.is_checked,
        })
    }
}

/// A page of all payments, by id.
pub async fn books(conn: &mut Connection, after: Uuid, limit: i64) -> Result<Vec<Book>> {
    let rows: Vec<BookRow> = sqlx::query_as(
        "select id, state, provider_reference, amount_minor, captured_minor,
                capture_pending_minor, refunded_minor, refund_pending_minor, void_requested,
                next_check_at is not null as is_checked
         from payments
         where id > $1
         order by id
         limit $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    books_of(rows)
}

/// These payments, for a second look.
pub async fn books_by_id(conn: &mut Connection, ids: &[Uuid]) -> Result<Vec<Book>> {
    let rows: Vec<BookRow> = sqlx::query_as(
        "select id, state, provider_reference, amount_minor, captured_minor,
                capture_pending_minor, refunded_minor, refund_pending_minor, void_requested,
                next_check_at is not null as is_checked
         from payments
         where id = any($1)",
    )
    .bind(ids)
    .fetch_all(conn)
    .await?;
    books_of(rows)
}

fn books_of(rows: Vec<BookRow>) -> Result<Vec<Book>> {
    let books: sqlx::Result<Vec<Book>> = rows.into_iter().map(BookRow::book).collect();
    Ok(books?)
}

/// When the first payment was recorded.
pub async fn first_payment_at(conn: &mut Connection) -> Result<Option<DateTime<Utc>>> {
    let first = sqlx::query_scalar("select min(created_at) from payments")
        .fetch_one(conn)
        .await?;
    Ok(first)
}
