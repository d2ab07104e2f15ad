//! The table `stock_levels`. See the order of locks in [`super`].

use database::{Connection, Result};
use types::{LocationId, Sku};

use super::rows;
use crate::domain::{Level, Spot};

#[derive(sqlx::FromRow)]
struct Row {
    sku: String,
    location_id: String,
    priority: i32,
    on_hand: i64,
    held: i64,
    committed: i64,
    safety_stock: i64,
    backorder_limit: i64,
    version: i64,
}

impl TryFrom<Row> for Level {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        Ok(Self {
            sku: rows::sku(&row.sku)?,
            location_id: rows::location_id(&row.location_id)?,
            priority: row.priority,
            on_hand: row.on_hand,
            held: row.held,
            committed: row.committed,
            safety_stock: row.safety_stock,
            backorder_limit: row.backorder_limit,
            version: row.version,
        })
    }
}

fn levels(found: Vec<Row>) -> Result<Vec<Level>> {
    let levels = found.into_iter().map(Level::try_from);
    Ok(levels.collect::<sqlx::Result<_>>()?)
}

/// Locks the levels of `skus` at every location.
pub async fn lock_skus(conn: &mut Connection, skus: &[&str]) -> Result<Vec<Level>> {
    let found = sqlx::query_as(
        "select level.sku, level.location_id, level.on_hand, level.held, level.committed,
                level.safety_stock, level.backorder_limit, level.version,
                (select priority from locations where id = level.location_id) as priority
         from stock_levels as level
         where level.sku = any($1)
         order by level.sku, level.location_id
         for update of level",
    )
    .bind(skus)
    .fetch_all(conn)
    .await?;
    levels(found)
}

/// Locks exactly these levels.
pub async fn lock(conn: &mut Connection, spots: &[Spot]) -> Result<Vec<Level>> {
    let (skus, locations) = columns(spots);
    let found = sqlx::query_as(
        "select level.sku, level.location_id, level.on_hand, level.held, level.committed,
                level.safety_stock, level.backorder_limit, level.version,
                (select priority from locations where id = level.location_id) as priority
         from stock_levels as level
         where (level.sku, level.location_id) in
               (select * from unnest($1::text[], $2::text[]))
         order by level.sku, level.location_id
         for update of level",
    )
    .bind(skus)
    .bind(locations)
    .fetch_all(conn)
    .await?;
    levels(found)
}

/// The levels of `skus` as they stand, in order of SKU, then priority.
pub async fn list(conn: &mut Connection, skus: &[&str]) -> Result<Vec<Level>> {
    let found = sqlx::query_as(
        "select level.sku, level.location_id, level.on_hand, level.held, level.committed,
                level.safety_stock, level.backorder_limit, level.version, location.priority
         from stock_levels as level
         join locations as location on location.id = level.location_id
         where level.sku = any($1)
         order by level.sku, location.priority, level.location_id",
    )
    .bind(skus)
    .fetch_all(conn)
    .await?;
    levels(found)
}

/// What a page of levels is of.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Empty: all.
    pub sku_prefix: String,
    pub location_id: Option<LocationId>,
}

/// By SKU, then location, after the level that `after` names. No character of
/// a SKU is greater than `~`, so what begins with a prefix is a range.
pub async fn page(
    conn: &mut Connection,
    filter: &Filter,
    after: Option<(&str, &str)>,
    limit: i64,
) -> Result<Vec<Level>> {
    let (sku, location_id) = after.unwrap_or(("", ""));
    let found = sqlx::query_as(
        "select level.sku, level.location_id, level.on_hand, level.held, level.committed,
                level.safety_stock, level.backorder_limit, level.version, location.priority
         from stock_levels as level
         join locations as location on location.id = level.location_id
         where (level.sku, level.location_id) > ($1, $2)
           and level.sku between $3 and $3 || repeat('~', 64)
           and ($4::text is null or level.location_id = $4)
         order by level.sku, level.location_id
         limit $5",
    )
    .bind(sku)
    .bind(location_id)
    .bind(filter.sku_prefix.as_str())
    .bind(filter.location_id.as_ref().map(LocationId::as_str))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    levels(found)
}

/// Makes an empty level for each spot that has none, if its item and location
/// are registered; gives those that were made. The item is locked against
/// changes, so that the copy of its backorder limit stays true.
pub async fn insert_missing(conn: &mut Connection, spots: &[Spot]) -> Result<Vec<Spot>> {
    let (skus, locations) = columns(spots);
    let made: Vec<(String, String)> = sqlx::query_as(
        "insert into stock_levels (sku, location_id, backorder_limit)
         select item.sku, location.id, item.backorder_limit
         from unnest($1::text[], $2::text[]) as wanted (sku, location_id)
         join items as item on item.sku = wanted.sku
         join locations as location on location.id = wanted.location_id
         order by item.sku, location.id
         for share of item
         on conflict do nothing
         returning sku, location_id",
    )
    .bind(skus)
    .bind(locations)
    .fetch_all(conn)
    .await?;
    let made = made.iter();
    Ok(made
        .map(|(sku, location)| Ok((rows::sku(sku)?, rows::location_id(location)?)))
        .collect::<sqlx::Result<_>>()?)
}

/// Takes back levels that were made for calls that were then refused.
pub async fn delete_unused(conn: &mut Connection, spots: &[Spot]) -> Result<()> {
    let (skus, locations) = columns(spots);
    sqlx::query(
        "delete from stock_levels
         where version = 0
           and (sku, location_id) in (select * from unnest($1::text[], $2::text[]))",
    )
    .bind(skus)
    .bind(locations)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes levels that this transaction has locked; gives how many there were.
pub async fn update(conn: &mut Connection, levels: &[&Level]) -> Result<u64> {
    let columns = |column: fn(&Level) -> i64| -> Vec<i64> {
        levels.iter().map(|level| column(level)).collect()
    };
    let skus: Vec<&str> = levels.iter().map(|level| level.sku.as_str()).collect();
    let locations: Vec<&str> = levels
        .iter()
        .map(|level| level.location_id.as_str())
        .collect();
    let updated = sqlx::query(
        "update stock_levels as level
         set on_hand = new.on_hand,
             held = new.held,
             committed = new.committed,
             safety_stock = new.safety_stock,
             version = new.version
         from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
              as new (sku, location_id, on_hand, held, committed, safety_stock, version)
         where level.sku = new.sku
           and level.location_id = new.location_id",
    )
    .bind(skus)
    .bind(locations)
    .bind(columns(|level| level.on_hand))
    .bind(columns(|level| level.held))
    .bind(columns(|level| level.committed))
    .bind(columns(|level| level.safety_stock))
    .bind(columns(|level| level.version))
    .execute(conn)
    .await?;
    Ok(updated.rows_affected())
}

/// Copies changed backorder limits from items to their levels, which the
/// caller has locked.
pub async fn copy_backorder_limits(conn: &mut Connection, skus: &[&str]) -> Result<()> {
    sqlx::query(
        "update stock_levels as level
         set backorder_limit = item.backorder_limit,
             version = level.version + 1
         from items as item
         where item.sku = level.sku
           and item.sku = any($1)
           and item.backorder_limit <> level.backorder_limit",
    )
    .bind(skus)
    .execute(conn)
    .await?;
    Ok(())
}

fn columns(spots: &[Spot]) -> (Vec<&str>, Vec<&str>) {
    spots
        .iter()
        .map(|(sku, location): &(Sku, LocationId)| (sku.as_str(), location.as_str()))
        .unzip()
}
