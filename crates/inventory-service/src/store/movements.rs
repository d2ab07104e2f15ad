//! The table `stock_movements`.
//!
//! Sequences are drawn under a lock that the transaction keeps until it has
//! committed. So they are in order of commit: whoever sees a movement sees
//! every movement with a lower sequence, and a reader who goes on after the
//! last sequence it saw can miss none. Drawn without it, a number could become
//! visible after a higher one was read. (Reading below the oldest running
//! transaction would not miss any either, but transaction ids are assigned
//! before a transaction waits for a level, so the movements of one level would
//! not always be in the order in which they happened, and they mean nothing
//! in a restored cluster.) Writers of movements thereby commit one after the
//! other, which costs little: they come in slices, and neither Reserve nor
//! Commit nor Release moves stock.

use chrono::{DateTime, Utc};
use database::{Connection, Result};
use types::Sku;

use super::{codes, rows};
use crate::domain::{Cause, Movement};

/// Any number that nobody else uses in this database: "movement" in ASCII.
const LOCK_ID: i64 = 0x6d6f_7665_6d65_6e74;

/// A movement with its place in the order of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub sequence: i64,
    pub movement: Movement,
    pub recorded_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct Row {
    sequence: i64,
    sku: String,
    location_id: String,
    kind: i16,
    delta: i64,
    on_hand_after: i64,
    reference: String,
    reason: String,
    created_at: DateTime<Utc>,
}

impl TryFrom<Row> for Recorded {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        let movement = Movement {
            sku: rows::sku(&row.sku)?,
            location_id: rows::location_id(&row.location_id)?,
            delta: row.delta,
            on_hand_after: row.on_hand_after,
            cause: Cause {
                kind: rows::known(codes::movement_kind_of(row.kind), "kind")?,
                reference: row.reference,
                reason: row.reason,
            },
        };
        Ok(Self {
            sequence: row.sequence,
            movement,
            recorded_at: row.created_at,
        })
    }
}

/// Appends in the order given. From here on the transaction holds up every
/// other writer of movements: it should have little left to do.
pub async fn append(conn: &mut Connection, movements: &[Movement]) -> Result<()> {
    sqlx::query("select pg_advisory_xact_lock($1)")
        .bind(LOCK_ID)
        .execute(&mut *conn)
        .await?;
    let texts = |text: fn(&Movement) -> &str| -> Vec<&str> { movements.iter().map(text).collect() };
    sqlx::query(
        "insert into stock_movements
             (sku, location_id, kind, delta, on_hand_after, reference, reason)
         select sku, location_id, kind, delta, on_hand_after, reference, reason
         from unnest($1::text[], $2::text[], $3::smallint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[])
              with ordinality
              as fresh (sku, location_id, kind, delta, on_hand_after, reference, reason, place)
         order by place",
    )
    .bind(texts(|movement| movement.sku.as_str()))
    .bind(texts(|movement| movement.location_id.as_str()))
    .bind(movements.iter().map(|one| codes::movement_kind(one.cause.kind)).collect::<Vec<_>>())
    .bind(movements.iter().map(|one| one.delta).collect::<Vec<_>>())
    .bind(movements.iter().map(|one| one.on_hand_after).collect::<Vec<_>>())
    .bind(texts(|movement| &movement.cause.reference))
    .bind(texts(|movement| &movement.cause.reason))
    .execute(conn)
    .await?;
    Ok(())
}

/// The sequence of the newest movement; 0 when there is none.
pub async fn newest(conn: &mut Connection) -> Result<i64> {
    let newest: Option<i64> = sqlx::query_scalar("select max(sequence) from stock_movements")
        .fetch_one(conn)
        .await?;
    Ok(newest.unwrap_or(0))
}

/// The movements of one SKU after a sequence, oldest first.
pub async fn page(
    conn: &mut Connection,
    sku: &Sku,
    after: i64,
    limit: i64,
) -> Result<Vec<Recorded>> {
    let found: Vec<Row> = sqlx::query_as(
        "select sequence, sku, location_id, kind, delta, on_hand_after, reference, reason, created_at
         from stock_movements
         where sku = $1
           and sequence > $2
         order by sequence
         limit $3",
    )
    .bind(sku.as_str())
    .bind(after)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    recorded(found)
}

/// A stretch of the movements of all SKUs, or of some.
#[derive(Debug, Clone, Copy)]
pub struct Stretch<'a> {
    pub after: i64,
    /// Included; a sequence that was seen.
    pub up_to: i64,
    /// Empty: all.
    pub skus: &'a [String],
}

/// Oldest first; fewer than `limit` are all there are.
pub async fn stretch(
    conn: &mut Connection,
    stretch: Stretch<'_>,
    limit: i64,
) -> Result<Vec<Recorded>> {
    let found: Vec<Row> = sqlx::query_as(
        "select sequence, sku, location_id, kind, delta, on_hand_after, reference, reason, created_at
         from stock_movements
         where sequence > $1
           and sequence <= $2
           and ($3 or sku = any($4))
         order by sequence
         limit $5",
    )
    .bind(stretch.after)
    .bind(stretch.up_to)
    .bind(stretch.skus.is_empty())
    .bind(stretch.skus)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    recorded(found)
}

fn recorded(found: Vec<Row>) -> Result<Vec<Recorded>> {
    let recorded = found.into_iter().map(Recorded::try_from);
    Ok(recorded.collect::<sqlx::Result<_>>()?)
}
