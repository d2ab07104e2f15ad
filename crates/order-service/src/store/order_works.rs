//! The tables `order_works` and `order_work_lines`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use database::Connection;
use types::{Currency, Money, OrderId};
use uuid::Uuid;

use super::rows::known;
use crate::domain::{NewWork, Work, WorkKind, WorkState};

/// Inserts a work and gives the time of its creation.
pub async fn insert(conn: &mut Connection, work: &NewWork) -> database::Result<DateTime<Utc>> {
    let created_at = sqlx::query_scalar(
        "insert into order_works (
             id, order_id, kind, state, tracking, restock, amount_minor, reason)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         returning created_at",
    )
    .bind(work.id)
    .bind(work.order_id.as_uuid())
    .bind(work.kind.number())
    .bind(work.state.number())
    .bind(&work.tracking)
    .bind(work.restock)
    .bind(work.amount.map(Money::minor))
    .bind(&work.reason)
    .fetch_one(&mut *conn)
    .await?;
    if !work.lines.is_empty() {
        sqlx::query(
            "insert into order_work_lines (work_id, line_number, quantity)
             select $1, line_number, quantity
             from unnest($2::integer[], $3::bigint[]) as fresh (line_number, quantity)",
        )
        .bind(work.id)
        .bind(
            work.lines
                .iter()
                .map(|(number, _)| *number)
                .collect::<Vec<_>>(),
        )
        .bind(
            work.lines
                .iter()
                .map(|(_, units)| *units)
                .collect::<Vec<_>>(),
        )
        .execute(conn)
        .await?;
    }
    Ok(created_at)
}

/// Writes the state, the amount and the failure of works.
pub async fn update(conn: &mut Connection, works: &[&Work]) -> database::Result<()> {
    if works.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "update order_works as w
         set state = g.state,
             amount_minor = g.amount_minor,
             failure = g.failure,
             updated_at = now()
         from unnest($1::uuid[], $2::smallint[], $3::bigint[], $4::text[])
              as g (id, state, amount_minor, failure)
         where w.id = g.id",
    )
    .bind(works.iter().map(|work| work.id).collect::<Vec<_>>())
    .bind(
        works
            .iter()
            .map(|work| work.state.number())
            .collect::<Vec<_>>(),
    )
    .bind(
        works
            .iter()
            .map(|work| work.amount.map(Money::minor))
            .collect::<Vec<_>>(),
    )
    .bind(
        works
            .iter()
            .map(|work| work.failure.as_str())
            .collect::<Vec<_>>(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    order_id: Uuid,
    kind: i16,
    state: i16,
    tracking: String,
    restock: bool,
    amount_minor: Option<i64>,
    reason: String,
    failure: String,
    created_at: DateTime<Utc>,
    currency: String,
    line_numbers: Vec<i32>,
    quantities: Vec<i64>,
}

impl Row {
    fn work(self) -> database::Result<Work> {
        let currency = known(Currency::parse(&self.currency).ok(), "currency")?;
        Ok(Work {
            id: self.id,
            order_id: OrderId::from_uuid(self.order_id),
            kind: known(WorkKind::from_number(self.kind), "kind")?,
            state: known(WorkState::from_number(self.state), "work state")?,
            lines: self.line_numbers.into_iter().zip(self.quantities).collect(),
            tracking: self.tracking,
            restock: self.restock,
            amount: self.amount_minor.map(|minor| Money::new(minor, currency)),
            reason: self.reason,
            failure: self.failure,
            created_at: self.created_at,
        })
    }
}

/// Every column that [`Row`] reads.
macro_rules! work_columns {
    () => {
        "select w.id, w.order_id, w.kind, w.state, w.tracking, w.restock, w.amount_minor,
                w.reason, w.failure, w.created_at, o.currency,
                array(select line_number from order_work_lines
                      where work_id = w.id order by line_number) as line_numbers,
                array(select quantity from order_work_lines
                      where work_id = w.id order by line_number) as quantities
         from order_works w
         join orders o on o.id = w.order_id
        "
    };
}

pub async fn get(conn: &mut Connection, id: Uuid) -> database::Result<Option<Work>> {
    let row: Option<Row> = sqlx::query_as(concat!(work_columns!(), " where w.id = $1"))
        .bind(id)
        .fetch_optional(conn)
        .await?;
    row.map(Row::work).transpose()
}

/// Where a work stands, and nothing else of it.
pub async fn state(conn: &mut Connection, id: Uuid) -> database::Result<Option<WorkState>> {
    let number: Option<i16> = sqlx::query_scalar("select state from order_works where id = $1")
        .bind(id)
        .fetch_optional(conn)
        .await?;
    Ok(number.and_then(WorkState::from_number))
}

/// The works that run, oldest first, by order.
pub async fn running(
    conn: &mut Connection,
    orders: &[OrderId],
) -> database::Result<HashMap<OrderId, Vec<Work>>> {
    let rows: Vec<Row> = sqlx::query_as(concat!(
        work_columns!(),
        " where w.order_id = any($1)
           and w.state = $2
         order by w.created_at, w.id"
    ))
    .bind(orders.iter().map(OrderId::as_uuid).collect::<Vec<_>>())
    .bind(WorkState::Running.number())
    .fetch_all(conn)
    .await?;
    let mut works: HashMap<OrderId, Vec<Work>> = HashMap::new();
    for row in rows {
        let work = row.work()?;
        works.entry(work.order_id).or_default().push(work);
    }
    Ok(works)
}

/// The works of one kind of an order, oldest first, after a place in the list.
pub async fn list(
    conn: &mut Connection,
    order: OrderId,
    kind: WorkKind,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> database::Result<Vec<Work>> {
    let rows: Vec<Row> = sqlx::query_as(concat!(
        work_columns!(),
        " where w.order_id = $1
           and w.kind = $2
           and (w.created_at, w.id) > (
                     coalesce($3::timestamptz, '-infinity'),
                     coalesce($4::uuid, '00000000-0000-0000-0000-000000000000'))
         order by w.created_at, w.id
         limit $5"
    ))
    .bind(order.as_uuid())
    .bind(kind.number())
    .bind(after.map(|(time, _)| time))
    .bind(after.map(|(_, id)| id))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::work).collect()
}
