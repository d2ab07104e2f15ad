//! The table `refunds`.

use chrono::{DateTime, Utc};
use database::{Connection, Result};
use types::{OrderId, PaymentId, RefundId};
use uuid::Uuid;

use super::codes;
use super::payments::{Cursor, column, far_future};
use crate::domain::Refund;

macro_rules! columns {
    () => {
        "id, payment_id, order_id, created_at, version, amount_minor, state, currency, reason,
         provider_reference, failure_code"
    };
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    payment_id: Uuid,
    order_id: Uuid,
    created_at: DateTime<Utc>,
    version: i64,
    amount_minor: i64,
    state: i16,
    currency: String,
    reason: String,
    provider_reference: Option<String>,
    failure_code: Option<String>,
}

impl Row {
    fn refund(self) -> sqlx::Result<Refund> {
        Ok(Refund {
            id: self.id.into(),
            payment_id: self.payment_id.into(),
            order_id: self.order_id.into(),
            amount_minor: self.amount_minor,
            currency: codes::currency(&self.currency)?,
            state: codes::transfer_state(self.state)?,
            reason: self.reason,
            provider_reference: self.provider_reference,
            failure_code: self.failure_code,
            version: self.version,
            created_at: self.created_at,
        })
    }
}

fn refunds(rows: Vec<Row>) -> Result<Vec<Refund>> {
    let refunds: sqlx::Result<Vec<Refund>> = rows.into_iter().map(Row::refund).collect();
    Ok(refunds?)
}

pub async fn insert(conn: &mut Connection, new: &[Refund]) -> Result<()> {
    sqlx::query(
        "insert into refunds
             (id, payment_id, order_id, amount_minor, state, currency, reason)
         select *
         from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::smallint[], $6::text[],
                     $7::text[])",
    )
    .bind(column(new, |refund| refund.id.as_uuid()))
    .bind(column(new, |refund| refund.payment_id.as_uuid()))
    .bind(column(new, |refund| refund.order_id.as_uuid()))
    .bind(column(new, |refund| refund.amount_minor))
    .bind(column(new, |refund| codes::of_transfer_state(refund.state)))
    .bind(column(new, |refund| refund.currency.code()))
    .bind(column(new, |refund| refund.reason.as_str()))
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn get(conn: &mut Connection, id: RefundId) -> Result<Option<Refund>> {
    let row: Option<Row> = sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from refunds where id = $1"
    ))
    .bind(id.as_uuid())
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Row::refund).transpose()?)
}

/// The pending ones of `payments`, and those with these `ids`.
pub async fn open(
    conn: &mut Connection,
    payments: &[PaymentId],
    ids: &[RefundId],
) -> Result<Vec<Refund>> {
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from refunds
         where (payment_id = any($1) and state = 1)
            or id = any($2)
         order by created_at, id"
    ))
    .bind(column(payments, PaymentId::as_uuid))
    .bind(column(ids, RefundId::as_uuid))
    .fetch_all(conn)
    .await?;
    refunds(rows)
}

/// All refunds of these payments, oldest first.
pub async fn of_payments(conn: &mut Connection, payments: &[PaymentId]) -> Result<Vec<Refund>> {
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from refunds
         where payment_id = any($1)
         order by created_at, id"
    ))
    .bind(column(payments, PaymentId::as_uuid))
    .fetch_all(conn)
    .await?;
    refunds(rows)
}

/// Writes what became of refunds whose payments are locked.
pub async fn save(conn: &mut Connection, changed: &[&Refund]) -> Result<()> {
    sqlx::query(
        "update refunds as stored
         set state = given.state,
             version = given.version,
             provider_reference = given.provider_reference,
             failure_code = given.failure_code
         from unnest($1::uuid[], $2::smallint[], $3::bigint[], $4::text[], $5::text[])
              as given (id, state, version, provider_reference, failure_code)
         where stored.id = given.id",
    )
    .bind(column(changed, |refund| refund.id.as_uuid()))
    .bind(column(changed, |refund| {
        codes::of_transfer_state(refund.state)
    }))
    .bind(column(changed, |refund| refund.version))
    .bind(column(changed, |refund| refund.provider_reference.clone()))
    .bind(column(changed, |refund| refund.failure_code.clone()))
    .execute(conn)
    .await?;
    Ok(())
}

/// Newest first. Each filter that is given has an index.
pub async fn list(
    conn: &mut Connection,
    payment: Option<PaymentId>,
    order: Option<OrderId>,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<Refund>> {
    let (time, id) = after.unwrap_or((far_future(), Uuid::max()));
    let statement = match (payment, order) {
        (None, None) => concat!(
            "select ",
            columns!(),
            " from refunds
             where (created_at, id) < ($3, $4)
               and $1::uuid is null
               and $2::uuid is null
             order by created_at desc, id desc
             limit $5"
        ),
        (Some(_), _) => concat!(
            "select ",
            columns!(),
            " from refunds
             where payment_id = $1
               and ($2::uuid is null or order_id = $2)
               and (created_at, id) < ($3, $4)
             order by created_at desc, id desc
             limit $5"
        ),
        (None, Some(_)) => concat!(
            "select ",
            columns!(),
            " from refunds
             where $1::uuid is null
               and order_id = $2
               and (created_at, id) < ($3, $4)
             order by created_at desc, id desc
             limit $5"
        ),
    };
    let rows: Vec<Row> = sqlx::query_as(statement)
        .bind(payment.map(|id| id.as_uuid()))
        .bind(order.map(|id| id.as_uuid()))
        .bind(time)
        .bind(id)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    refunds(rows)
}
