//! The table `captures`.

use chrono::{DateTime, Utc};
use database::{Connection, Result};
use types::{CaptureId, PaymentId};
use uuid::Uuid;

use super::codes;
use super::payments::column;
use crate::domain::Capture;

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    payment_id: Uuid,
    created_at: DateTime<Utc>,
    amount_minor: i64,
    state: i16,
    r#final: bool,
    failure_code: Option<String>,
}

impl Row {
    fn capture(self) -> sqlx::Result<Capture> {
        Ok(Capture {
            id: self.id.into(),
            payment_id: self.payment_id.into(),
            amount_minor: self.amount_minor,
            state: codes::transfer_state(self.state)?,
            last: self.r#final,
            failure_code: self.failure_code,
            created_at: self.created_at,
        })
    }
}

fn captures(rows: Vec<Row>) -> Result<Vec<Capture>> {
    let captures: sqlx::Result<Vec<Capture>> = rows.into_iter().map(Row::capture).collect();
    Ok(captures?)
}

pub async fn insert(conn: &mut Connection, new: &[Capture]) -> Result<()> {
    sqlx::query(
        "insert into captures (id, payment_id, amount_minor, state, final)
         select *
         from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::smallint[], $5::bool[])",
    )
    .bind(column(new, |capture| capture.id.as_uuid()))
    .bind(column(new, |capture| capture.payment_id.as_uuid()))
    .bind(column(new, |capture| capture.amount_minor))
    .bind(column(new, |capture| {
        codes::of_transfer_state(capture.state)
    }))
    .bind(column(new, |capture| capture.last))
    .execute(conn)
    .await?;
    Ok(())
}

/// The pending ones of `payments`, and those with these `ids`.
pub async fn open(
    conn: &mut Connection,
    payments: &[PaymentId],
    ids: &[CaptureId],
) -> Result<Vec<Capture>> {
    let rows: Vec<Row> = sqlx::query_as(
        "select id, payment_id, created_at, amount_minor, state, final, failure_code
         from captures
         where (payment_id = any($1) and state = 1)
            or id = any($2)
         order by created_at, id",
    )
    .bind(column(payments, PaymentId::as_uuid))
    .bind(column(ids, CaptureId::as_uuid))
    .fetch_all(conn)
    .await?;
    captures(rows)
}

/// All captures of these payments, oldest first.
pub async fn of_payments(conn: &mut Connection, payments: &[PaymentId]) -> Result<Vec<Capture>> {
    let rows: Vec<Row> = sqlx::query_as(
        "select id, payment_id, created_at, amount_minor, state, final, failure_code
         from captures
         where payment_id = any($1)
         order by created_at, id",
    )
    .bind(column(payments, PaymentId::as_uuid))
    .fetch_all(conn)
    .await?;
    captures(rows)
}

/// Writes what became of captures whose payments are locked.
pub async fn save(conn: &mut Connection, changed: &[&Capture]) -> Result<()> {
    sqlx::query(
        "update captures as stored
         set state = given.state, failure_code = given.failure_code
         from unnest($1::uuid[], $2::smallint[], $3::text[]) as given (id, state, failure_code)
         where stored.id = given.id",
    )
    .bind(column(changed, |capture| capture.id.as_uuid()))
    .bind(column(changed, |capture| {
        codes::of_transfer_state(capture.state)
    }))
    .bind(column(changed, |capture| capture.failure_code.clone()))
    .execute(conn)
    .await?;
    Ok(())
}
