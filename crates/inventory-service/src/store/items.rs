//! The table `items`.

use database::{Connection, Result};

use super::rows;
use crate::domain::Item;

#[derive(sqlx::FromRow)]
struct Row {
    sku: String,
    title: String,
    list_price_minor: Option<i64>,
    list_price_currency: Option<String>,
    stock_tracked: bool,
    backorder_limit: i64,
    version: i64,
}

impl TryFrom<Row> for Item {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        Ok(Self {
            sku: rows::sku(&row.sku)?,
            title: row.title,
            list_price: rows::money(row.list_price_minor, row.list_price_currency.as_deref())?,
            stock_tracked: row.stock_tracked,
            backorder_limit: row.backorder_limit,
            version: row.version,
        })
    }
}

/// Those of `skus` that are registered, in order of SKU.
pub async fn list(conn: &mut Connection, skus: &[&str]) -> Result<Vec<Item>> {
    let found: Vec<Row> = sqlx::query_as(
        "select sku, title, list_price_minor, list_price_currency, stock_tracked,
                backorder_limit, version
         from items
         where sku = any($1)
         order by sku",
    )
    .bind(skus)
    .fetch_all(conn)
    .await?;
    Ok(found
        .into_iter()
        .map(Item::try_from)
        .collect::<sqlx::Result<_>>()?)
}

/// The same, locked against other changes of them.
pub async fn lock(conn: &mut Connection, skus: &[&str]) -> Result<Vec<Item>> {
    let found: Vec<Row> = sqlx::query_as(
        "select sku, title, list_price_minor, list_price_currency, stock_tracked,
                backorder_limit, version
         from items
         where sku = any($1)
         order by sku
         for no key update",
    )
    .bind(skus)
    .fetch_all(conn)
    .await?;
    Ok(found
        .into_iter()
        .map(Item::try_from)
        .collect::<sqlx::Result<_>>()?)
}

/// Creates or replaces items, each SKU once; the versions given are ignored.
/// Gives the items as stored, in order of SKU.
pub async fn upsert(conn: &mut Connection, items: &[&Item]) -> Result<Vec<Item>> {
    let mut stored: Vec<Row> = sqlx::query_as(
        "insert into items as stored
             (sku, title, list_price_minor, list_price_currency, stock_tracked, backorder_limit)
         select *
         from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::boolean[], $6::bigint[])
              as fresh (sku, title, list_price_minor, list_price_currency, stock_tracked, backorder_limit)
         order by sku collate \"C\"
         on conflict (sku) do update
         set title = excluded.title,
             list_price_minor = excluded.list_price_minor,
             list_price_currency = excluded.list_price_currency,
             stock_tracked = excluded.stock_tracked,
             backorder_limit = excluded.backorder_limit,
             version = stored.version + 1
         returning sku, title, list_price_minor, list_price_currency, stock_tracked,
                   backorder_limit, version",
    )
    .bind(items.iter().map(|item| item.sku.as_str()).collect::<Vec<_>>())
    .bind(items.iter().map(|item| item.title.as_str()).collect::<Vec<_>>())
    .bind(items.iter().map(|item| rows::minor(item.list_price)).collect::<Vec<_>>())
    .bind(items.iter().map(|item| rows::currency(item.list_price)).collect::<Vec<_>>())
    .bind(items.iter().map(|item| item.stock_tracked).collect::<Vec<_>>())
    .bind(items.iter().map(|item| item.backorder_limit).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    stored.sort_unstable_by(|left, right| left.sku.cmp(&right.sku));
    Ok(stored
        .into_iter()
        .map(Item::try_from)
        .collect::<sqlx::Result<_>>()?)
}
