//! What is left when all is quiet: by the services' own audits, and whether
//! each order is there that a client was told of.

use std::time::Duration;

use anyhow::{Context, Result};
use api::{inventory::v1 as stock, order::v1 as order, payment::v1 as payment};
use serde::Serialize;
use sqlx::{Connection, PgConnection};
use tokio::time::Instant;

use crate::shop::Shop;

/// What runs ends by itself.
const QUIET_WITHIN: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Default, Serialize)]
pub(super) struct Books {
    pub(super) orders_told: usize,
    pub(super) orders_lost: usize,
    pub(super) unfinished: i64,
    /// Invariants and how often they are broken.
    pub(super) violations: Vec<String>,
}

pub(super) async fn look(shop: &Shop, told: &[String]) -> Result<Books> {
    let until = Instant::now() + QUIET_WITHIN;
    let url = &shop.databases["orders"];
    let mut conn = PgConnection::connect(url).await.context("the orders")?;
    loop {
        let there: i64 =
            sqlx::query_scalar("select count(*) from orders where id = any($1::text[]::uuid[])")
                .bind(told)
                .fetch_one(&mut conn)
                .await?;
        let unfinished: i64 = sqlx::query_scalar(
            "select count(*) from orders where id = any($1::text[]::uuid[]) and next_run_at is not null",
        )
        .bind(told)
        .fetch_one(&mut conn)
        .await?;
        let books = Books {
            orders_told: told.len(),
            orders_lost: told.len() - usize::try_from(there).unwrap_or(0),
            unfinished,
            violations: violations(shop).await?,
        };
        let is_quiet = books.unfinished == 0 && books.violations.is_empty();
        if is_quiet || Instant::now() > until {
            return Ok(books);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn violations(shop: &Shop) -> Result<Vec<String>> {
    let mut clients = load::Shop::connect(shop.endpoints(), &shop.token())?;
    let orders = clients.order_admin.run_audit(order::RunAuditRequest {});
    let orders = orders.await.context("the audit of orders")?;
    let payments = clients.payment_admin;
    let payments = payments
        .clone()
        .run_audit(payment::RunAuditRequest::default())
        .await;
    let payments = payments.context("the audit of payments")?;
    let stock = clients.stock_admin.run_audit(stock::RunAuditRequest {});
    let stock = stock.await.context("the audit of stock")?;
    let findings = [
        orders.into_inner().findings,
        payments.into_inner().findings,
        stock.into_inner().findings,
    ];
    let broken = findings.into_iter().flatten();
    let broken = broken.filter(|finding| finding.violations != 0);
    Ok(broken
        .map(|finding| format!("{}: {}", finding.invariant, finding.violations))
        .collect())
}
