//! All that the checks look at, read once.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::books_orders::Orders;
use super::books_payments::Payments;
use super::books_provider::Provider;
use super::books_stock::Stock;
use super::site::Site;
use crate::history::{History, Published};
use crate::workload::tail;

/// What was done to the shop, as far as the verdict has to know.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Circumstances {
    pub restarts: Vec<Restart>,
    pub faults: Vec<Fault>,
    /// When Redis lost everything.
    pub flushes: Vec<DateTime<Utc>>,
}

/// A process that was started again.
#[derive(Debug, Clone, Serialize)]
pub struct Restart {
    pub what: String,
    pub at: DateTime<Utc>,
}

/// A time in which something was broken.
#[derive(Debug, Clone, Serialize)]
pub struct Fault {
    pub what: String,
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

pub struct Evidence<'a> {
    pub history: &'a History,
    pub circumstances: &'a Circumstances,
    pub orders: Orders,
    pub payments: Payments,
    pub stock: Stock,
    pub provider: Provider,
    /// What the Redis streams hold now.
    pub streams: Vec<Published>,
}

impl<'a> Evidence<'a> {
    pub async fn read(
        site: &Site,
        history: &'a History,
        circumstances: &'a Circumstances,
    ) -> Result<Self> {
        let orders = Orders::read(site).await.context("the books of orders")?;
        let payments = Payments::read(site)
            .await
            .context("the books of payments")?;
        let stock = Stock::read(site).await.context("the books of stock")?;
        let provider = Provider::read(site).await.context("the provider's books")?;
        let streams = tail::read(&site.redis).await;
        Ok(Self {
            history,
            circumstances,
            orders,
            payments,
            stock,
            provider,
            streams: streams.context("the streams of Redis")?,
        })
    }
}
