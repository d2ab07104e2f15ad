//! After all is reconciled, the books of orders, of payments and of the provider
//! tell the same.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result};
use serde_json::Value;
use sqlx::types::Uuid;
use sqlx::{Connection, PgConnection};

use crate::shop::Simulator;
use crate::verdict::Check;

type Databases = BTreeMap<&'static str, String>;

/// Taken and given back, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Money {
    captured: i64,
    refunded: i64,
    /// Promised and neither taken nor let go.
    authorized: i64,
    /// The provider was asked for it and has not said yes or no.
    open: i64,
}

pub async fn checks(databases: &Databases, simulator: &Simulator) -> Result<Vec<Check>> {
    let payments = payments(&databases["payments"]).await?;
    Ok(vec![
        orders(&databases["orders"], &payments).await?,
        provider(&payments, simulator).await?,
    ])
}

/// By order.
async fn payments(url: &str) -> Result<HashMap<Uuid, Money>> {
    let mut conn = PgConnection::connect(url).await?;
    let rows: Vec<(Uuid, i64, i64, i64, i64)> = sqlx::query_as(
        "select order_id,
                sum(captured_minor)::bigint,
                sum(refunded_minor)::bigint,
                sum(case when state in (4, 5) then authorized_minor - captured_minor
                         else 0 end)::bigint,
                sum(case when state in (1, 2, 3) then amount_minor else 0 end)::bigint
         from payments
         group by order_id",
    )
    .fetch_all(&mut conn)
    .await?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|(order, captured, refunded, authorized, open)| {
            let money = Money {
                captured,
                refunded,
                authorized,
                open,
            };
            (order, money)
        })
        .collect())
}

async fn orders(url: &str, payments: &HashMap<Uuid, Money>) -> Result<Check> {
    let mut check = Check::new(
        "orders-and-payments",
        "each order has the money that its payments have, and no payment is without an order \
         unless all of it went back",
    );
    let mut conn = PgConnection::connect(url).await?;
    let rows: Vec<(Uuid, i16, i64, i64)> =
        sqlx::query_as("select id, state, captured_minor, refunded_minor from orders")
            .fetch_all(&mut conn)
            .await?;
    let orders: HashMap<Uuid, (i16, i64, i64)> = rows
        .into_iter()
        .map(|(id, state, captured, refunded)| (id, (state, captured, refunded)))
        .collect();
    for (id, money) in payments {
        check.looked();
        let name = id.to_string();
        let kept = money.captured - money.refunded;
        let held = money.authorized + money.open;
        match orders.get(id) {
            None => check.expect(kept == 0 && held == 0, Some(&name), || {
                format!("there is no such order, and {money:?}")
            }),
            Some((state, captured, refunded)) => {
                let is_ended = matches!(state, 7 | 8);
                let same = captured - refunded == kept && (!is_ended || held == 0);
                check.expect(same, Some(&name), || {
                    format!("state {state}, captured {captured}, refunded {refunded}: {money:?}")
                });
            }
        }
    }
    Ok(check)
}

/// The sums over everything, as the simulator itself has them.
async fn provider(payments: &HashMap<Uuid, Money>, simulator: &Simulator) -> Result<Check> {
    let mut check = Check::new(
        "payments-and-provider",
        "what was taken and given back is the same in our books and in the provider's",
    );
    let books = simulator.books().await?;
    let books = books.as_object().context("the simulator's books")?;
    let theirs = |name: &str| -> i64 {
        let sums = books.values().filter_map(|sums| sums[name].as_i64());
        sums.sum()
    };
    let ours = |of: fn(&Money) -> i64| -> i64 { payments.values().map(of).sum() };
    for (name, of) in [
        (
            "captured_minor",
            (|money| money.captured) as fn(&Money) -> i64,
        ),
        ("refunded_minor", |money| money.refunded),
        ("capturable_minor", |money| money.authorized),
    ] {
        check.looked();
        check.expect(ours(of) == theirs(name), None, || {
            format!("{name}: {} here, {} there", ours(of), theirs(name))
        });
    }
    check.remark = Some(Value::Object(books.clone()).to_string());
    Ok(check)
}
