//! The table `order_lines`.

use std::collections::HashMap;

use database::Connection;
use types::{Money, Quantity, Sku};
use uuid::Uuid;

use super::rows::known;
use crate::domain::{Line, Order};

pub(super) async fn insert(conn: &mut Connection, orders: &[Order]) -> database::Result<()> {
    let lines: Vec<(Uuid, &Line)> = lines_of(orders.iter());
    sqlx::query(
        "insert into order_lines (order_id, number, sku, quantity, unit_price_minor)
         select order_id, number, sku, quantity, unit_price_minor
         from unnest($1::uuid[], $2::integer[], $3::text[], $4::bigint[], $5::bigint[])
              as fresh (order_id, number, sku, quantity, unit_price_minor)",
    )
    .bind(lines.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind(
        lines
            .iter()
            .map(|(_, line)| line.number)
            .collect::<Vec<_>>(),
    )
    .bind(
        lines
            .iter()
            .map(|(_, line)| line.sku.as_str())
            .collect::<Vec<_>>(),
    )
    .bind(
        lines
            .iter()
            .map(|(_, line)| line.quantity.get())
            .collect::<Vec<_>>(),
    )
    .bind(
        lines
            .iter()
            .map(|(_, line)| price(line))
            .collect::<Vec<_>>(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes prices and counts of every line of `orders`.
pub async fn update<'a>(
    conn: &mut Connection,
    orders: impl Iterator<Item = &'a Order>,
) -> database::Result<()> {
    let lines: Vec<(Uuid, &Line)> = lines_of(orders);
    if lines.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "update order_lines as l
         set unit_price_minor = g.unit_price_minor,
             fulfilled = g.fulfilled,
             returned = g.returned
         from unnest($1::uuid[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[])
              as g (order_id, number, unit_price_minor, fulfilled, returned)
         where l.order_id = g.order_id
           and l.number = g.number",
    )
    .bind(lines.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind(
        lines
            .iter()
            .map(|(_, line)| line.number)
            .collect::<Vec<_>>(),
    )
    .bind(
        lines
            .iter()
            .map(|(_, line)| price(line))
            .collect::<Vec<_>>(),
    )
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

fn lines_of<'a>(orders: impl Iterator<Item = &'a Order>) -> Vec<(Uuid, &'a Line)> {
    orders
        .flat_map(|order| order.lines.iter().map(|line| (order.id.as_uuid(), line)))
        .collect()
}

fn price(line: &Line) -> Option<i64> {
    line.unit_price.map(Money::minor)
}

#[derive(sqlx::FromRow)]
struct Row {
    order_id: Uuid,
    number: i32,
    sku: String,
    quantity: i64,
    unit_price_minor: Option<i64>,
    fulfilled: i64,
    returned: i64,
}

/// Gives each order its lines.
pub(super) async fn load(conn: &mut Connection, orders: &mut [Order]) -> database::Result<()> {
    let ids: Vec<Uuid> = orders.iter().map(|order| order.id.as_uuid()).collect();
    let rows: Vec<Row> = sqlx::query_as(
        "select order_id, number, sku, quantity, unit_price_minor, fulfilled, returned
         from order_lines
         where order_id = any($1)
         order by order_id, number",
    )
    .bind(&ids)
    .fetch_all(conn)
    .await?;
    let places: HashMap<Uuid, usize> = ids.into_iter().zip(0..).collect();
    for row in rows {
        let Some(order) = places.get(&row.order_id).and_then(|at| orders.get_mut(*at)) else {
            continue;
        };
        order.lines.push(Line {
            number: row.number,
            sku: known(Sku::parse(&row.sku).ok(), "sku")?,
            quantity: known(Quantity::try_from(row.quantity).ok(), "quantity")?,
            unit_price: row
                .unit_price_minor
                .map(|minor| Money::new(minor, order.currency)),
            fulfilled: row.fulfilled,
            returned: row.returned,
        });
    }
    Ok(())
}
