//! The table `reservation_lines`.

use database::{Connection, Result};
use types::{LocationId, OrderId};
use uuid::Uuid;

use super::rows;
use crate::domain::{Line, Reservation};

/// A line with the order it belongs to.
type Owned<'a> = (OrderId, &'a Line);

#[derive(sqlx::FromRow)]
struct Row {
    order_id: Uuid,
    sku: String,
    location_id: String,
    quantity: i64,
    fulfilled: i64,
    returned: i64,
    list_price_minor: Option<i64>,
    list_price_currency: Option<String>,
}

impl TryFrom<Row> for Line {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        let location_id = match row.location_id.as_str() {
            "" => None,
            id => Some(rows::location_id(id)?),
        };
        Ok(Self {
            sku: rows::sku(&row.sku)?,
            location_id,
            quantity: row.quantity,
            fulfilled: row.fulfilled,
            returned: row.returned,
            list_price: rows::money(row.list_price_minor, row.list_price_currency.as_deref())?,
        })
    }
}

/// Reads the lines of `reservations` into them.
pub async fn fill(conn: &mut Connection, reservations: &mut [Reservation]) -> Result<()> {
    if reservations.is_empty() {
        return Ok(());
    }
    let orders: Vec<Uuid> = reservations
        .iter()
        .map(|reservation| reservation.order_id.as_uuid())
        .collect();
    let found: Vec<Row> = sqlx::query_as(
        "select order_id, sku, location_id, quantity, fulfilled, returned,
                list_price_minor, list_price_currency
         from reservation_lines
         where order_id = any($1)
         order by order_id, sku, location_id",
    )
    .bind(orders)
    .fetch_all(conn)
    .await?;
    let mut places: std::collections::HashMap<Uuid, usize> = reservations
        .iter()
        .enumerate()
        .map(|(place, reservation)| (reservation.order_id.as_uuid(), place))
        .collect();
    for row in found {
        if let Some(place) = places.get_mut(&row.order_id) {
            reservations[*place].lines.push(row.try_into()?);
        }
    }
    Ok(())
}

pub async fn insert(conn: &mut Connection, lines: &[Owned<'_>]) -> Result<()> {
    let (orders, skus, locations) = keys(lines);
    sqlx::query(
        "insert into reservation_lines
             (order_id, sku, location_id, quantity, fulfilled, returned,
              list_price_minor, list_price_currency)
         select *
         from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[])",
    )
    .bind(orders)
    .bind(skus)
    .bind(locations)
    .bind(lines.iter().map(|(_, line)| line.quantity).collect::<Vec<_>>())
    .bind(lines.iter().map(|(_, line)| line.fulfilled).collect::<Vec<_>>())
    .bind(lines.iter().map(|(_, line)| line.returned).collect::<Vec<_>>())
    .bind(lines.iter().map(|(_, line)| rows::minor(line.list_price)).collect::<Vec<_>>())
    .bind(lines.iter().map(|(_, line)| rows::currency(line.list_price)).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes what has left and what came back.
pub async fn update_counts(conn: &mut Connection, lines: &[Owned<'_>]) -> Result<()> {
    let (orders, skus, locations) = keys(lines);
    sqlx::query(
        "update reservation_lines as line
         set fulfilled = new.fulfilled,
             returned = new.returned
         from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
              as new (order_id, sku, location_id, fulfilled, returned)
         where line.order_id = new.order_id
           and line.sku = new.sku
           and line.location_id = new.location_id",
    )
    .bind(orders)
    .bind(skus)
    .bind(locations)
    .bind(
        lines
            .iter()
            .map(|(_, line)| line.fulfilled)
            .collect::<Vec<_>>(),
    )
    .bind(
        lines
            .iter()
            .map(|(_, line)| line.returned)
            .collect::<Vec<_>>(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// For orders that are reserved anew with other lines.
pub async fn delete_all_of(conn: &mut Connection, orders: &[Uuid]) -> Result<()> {
    sqlx::query(
        "delete from reservation_lines
         where order_id = any($1)",
    )
    .bind(orders)
    .execute(conn)
    .await?;
    Ok(())
}

fn keys<'a>(lines: &[Owned<'a>]) -> (Vec<Uuid>, Vec<&'a str>, Vec<&'a str>) {
    let mut keys = (Vec::new(), Vec::new(), Vec::new());
    for (order_id, line) in lines {
        keys.0.push(order_id.as_uuid());
        keys.1.push(line.sku.as_str());
        keys.2
            .push(line.location_id.as_ref().map_or("", LocationId::as_str));
    }
    keys
}
