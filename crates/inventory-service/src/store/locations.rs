//! The table `locations`.

use database::{Connection, Result};
use types::LocationId;

use super::rows;
use crate::domain::Location;

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    priority: i32,
    version: i64,
}

impl TryFrom<Row> for Location {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        Ok(Self {
            id: rows::location_id(&row.id)?,
            name: row.name,
            priority: row.priority,
            version: row.version,
        })
    }
}

/// Which of `ids` are registered.
pub async fn known(conn: &mut Connection, ids: &[&str]) -> Result<Vec<LocationId>> {
    let known: Vec<String> = sqlx::query_scalar(
        "select id
         from locations
         where id = any($1)",
    )
    .bind(ids)
    .fetch_all(conn)
    .await?;
    Ok(known
        .iter()
        .map(|id| rows::location_id(id))
        .collect::<sqlx::Result<_>>()?)
}

pub async fn lock(conn: &mut Connection, id: &LocationId) -> Result<Option<Location>> {
    let found: Option<Row> = sqlx::query_as(
        "select id, name, priority, version
         from locations
         where id = $1
         for no key update",
    )
    .bind(id.as_str())
    .fetch_optional(conn)
    .await?;
    Ok(found.map(Location::try_from).transpose()?)
}

/// Creates or replaces a location; the version given is ignored.
pub async fn upsert(conn: &mut Connection, location: &Location) -> Result<Location> {
    let stored: Row = sqlx::query_as(
        "insert into locations as stored (id, name, priority)
         values ($1, $2, $3)
         on conflict (id) do update
         set name = excluded.name,
             priority = excluded.priority,
             version = stored.version + 1
         returning id, name, priority, version",
    )
    .bind(location.id.as_str())
    .bind(location.name.as_str())
    .bind(location.priority)
    .fetch_one(conn)
    .await?;
    Ok(stored.try_into()?)
}

/// In the order in which stock is taken, after the location that `after` names.
pub async fn page(
    conn: &mut Connection,
    after: Option<(i32, &str)>,
    limit: i64,
) -> Result<Vec<Location>> {
    let (priority, id) = after.unzip();
    let found: Vec<Row> = sqlx::query_as(
        "select id, name, priority, version
         from locations
         where $1::integer is null or (priority, id) > ($1, $2)
         order by priority, id
         limit $3",
    )
    .bind(priority)
    .bind(id)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(found
        .into_iter()
        .map(Location::try_from)
        .collect::<sqlx::Result<_>>()?)
}
