//! Events set aside because one of their aggregate could not be handled.

use crate::Received;
use chrono::{DateTime, Utc};
use database::Connection;
use sqlx::{FromRow, Row, postgres::PgRow};
use uuid::Uuid;

/// An event that waits to be released.
#[derive(Debug, Clone, FromRow)]
pub struct Parked {
    #[sqlx(rename = "consumer_group")]
    pub group: String,
    #[sqlx(flatten)]
    pub event: Received,
    pub parked_at: DateTime<Utc>,
    /// `None`: it merely waits behind another of its aggregate.
    pub error: Option<String>,
}

impl<'r> FromRow<'r, PgRow> for Received {
    fn from_row(row: &'r PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("event_id")?,
            topic: row.try_get("stream")?,
            kind: row.try_get("kind")?,
            aggregate: row.try_get("aggregate")?,
            sequence: row.try_get("sequence")?,
            time: row.try_get("time")?,
            payload: row.try_get("payload")?,
            traceparent: row.try_get("traceparent")?,
        })
    }
}

/// The parked events of all groups, oldest first, at most `limit`.
pub async fn parked(conn: &mut Connection, limit: i64) -> database::Result<Vec<Parked>> {
    let parked = sqlx::query_as(
        "select consumer_group, event_id, stream, kind, aggregate, sequence, time, payload,
                traceparent, parked_at, error
         from inbox_parked
         order by position
         limit $1",
    )
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(parked)
}

/// How many events a group has parked.
pub(crate) async fn count(conn: &mut Connection, group: &str) -> database::Result<i64> {
    let count = sqlx::query_scalar("select count(*) from inbox_parked where consumer_group = $1")
        .bind(group)
        .fetch_one(conn)
        .await?;
    Ok(count)
}

/// Lets a group's consumer handle the parked events of an aggregate, in order,
/// before any later one. Gives their number. What fails again is parked again.
pub async fn release_parked(
    conn: &mut Connection,
    group: &str,
    aggregate: Uuid,
) -> database::Result<u64> {
    let released = sqlx::query(
        "update inbox_parked
         set released = true
         where consumer_group = $1
           and aggregate = $2",
    )
    .bind(group)
    .bind(aggregate)
    .execute(conn)
    .await?;
    Ok(released.rows_affected())
}

/// Parks an event, unless it is handled or parked already. `error` is `None`
/// for one that merely waits behind another.
pub(crate) async fn park(
    conn: &mut Connection,
    group: &str,
    event: &Received,
    error: Option<&str>,
) -> database::Result<()> {
    sqlx::query(
        "insert into inbox_parked
             (consumer_group, stream, aggregate, event_id, kind, sequence, payload, traceparent, time, error)
         select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
         where not exists (
             select from inbox
             where consumer_group = $1
               and event_id = $4
         )
         on conflict (consumer_group, event_id) do nothing",
    )
    .bind(group)
    .bind(&event.topic)
    .bind(event.aggregate)
    .bind(event.id)
    .bind(&event.kind)
    .bind(event.sequence)
    .bind(&event.payload)
    .bind(&event.traceparent)
    .bind(event.time)
    .bind(error)
    .execute(conn)
    .await?;
    Ok(())
}

/// The aggregates that somebody released.
pub(crate) async fn released(
    conn: &mut Connection,
    group: &str,
    stream: &str,
) -> database::Result<Vec<Uuid>> {
    let aggregates = sqlx::query_scalar(
        "select distinct aggregate
         from inbox_parked
         where consumer_group = $1
           and stream = $2
           and released",
    )
    .bind(group)
    .bind(stream)
    .fetch_all(conn)
    .await?;
    Ok(aggregates)
}

/// The event of an aggregate that is to be handled next.
pub(crate) async fn next(
    conn: &mut Connection,
    group: &str,
    stream: &str,
    aggregate: Uuid,
) -> database::Result<Option<Received>> {
    let next = sqlx::query_as(
        "select event_id, stream, kind, aggregate, sequence, time, payload, traceparent
         from inbox_parked
         where consumer_group = $1
           and stream = $2
           and aggregate = $3
         order by position
         limit 1",
    )
    .bind(group)
    .bind(stream)
    .bind(aggregate)
    .fetch_optional(conn)
    .await?;
    Ok(next)
}

/// Takes a handled event out.
pub(crate) async fn take_out(
    conn: &mut Connection,
    group: &str,
    event: &Received,
) -> database::Result<()> {
    sqlx::query(
        "delete from inbox_parked
         where consumer_group = $1
           and event_id = $2",
    )
    .bind(group)
    .bind(event.id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Parks an aggregate again, because `event` failed again.
pub(crate) async fn park_again(
    conn: &mut Connection,
    group: &str,
    event: &Received,
    error: &str,
) -> database::Result<()> {
    sqlx::query(
        "update inbox_parked
         set released = false,
             error = case when event_id = $4 then $5 else error end
         where consumer_group = $1
           and stream = $2
           and aggregate = $3",
    )
    .bind(group)
    .bind(&event.topic)
    .bind(event.aggregate)
    .bind(event.id)
    .bind(error)
    .execute(conn)
    .await?;
    Ok(())
}
