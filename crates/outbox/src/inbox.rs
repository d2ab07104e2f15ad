//! What a group has handled.

use crate::Received;
use database::{Connection, Database};
use std::time::Duration;

/// How an event stands with a group, before it is handled.
pub(crate) enum Standing {
    New,
    Handled,
    /// An earlier event of its aggregate is parked, or it is itself.
    Parked,
}

pub(crate) async fn standing(
    conn: &mut Connection,
    group: &str,
    event: &Received,
) -> database::Result<Standing> {
    let (handled, parked): (bool, bool) = sqlx::query_as(
        "select exists (
                    select from inbox
                    where consumer_group = $1
                      and event_id = $2
                ),
                exists (
                    select from inbox_parked
                    where consumer_group = $1
                      and stream = $3
                      and aggregate = $4
                )",
    )
    .bind(group)
    .bind(event.id)
    .bind(&event.topic)
    .bind(event.aggregate)
    .fetch_one(conn)
    .await?;
    Ok(match (handled, parked) {
        (true, _) => Standing::Handled,
        (false, true) => Standing::Parked,
        (false, false) => Standing::New,
    })
}

pub(crate) enum Noted {
    Fresh,
    /// Another transaction handled it meanwhile.
    Again,
}

/// Notes that the event is handled, if the transaction commits.
pub(crate) async fn note(
    conn: &mut Connection,
    group: &str,
    event: &Received,
) -> database::Result<Noted> {
    let written = sqlx::query(
        "insert into inbox (consumer_group, event_id)
         values ($1, $2)
         on conflict do nothing",
    )
    .bind(group)
    .bind(event.id)
    .execute(conn)
    .await?;
    Ok(match written.rows_affected() {
        0 => Noted::Again,
        _ => Noted::Fresh,
    })
}

/// Forgets up to `limit` events handled longer than `age` ago and gives their
/// number. `age` must exceed the time after which an event may still be
/// published or delivered again: days.
pub async fn prune_inbox(db: &Database, age: Duration, limit: i64) -> database::Result<u64> {
    let mut conn = db.acquire().await?;
    let deleted = sqlx::query(
        "delete from inbox
         where ctid = any (array(
             select ctid
             from inbox
             where received_at < now() - make_interval(secs => $1)
             order by received_at
             limit $2
             for update skip locked
         ))",
    )
    .bind(age.as_secs_f64())
    .bind(limit)
    .execute(&mut *conn)
    .await?;
    Ok(deleted.rows_affected())
}
