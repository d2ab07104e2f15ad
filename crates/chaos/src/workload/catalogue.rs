//! What the shop sells, and how much there is before the first call.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, bail};
use api::common::v1::Money;
use api::inventory::v1 as stock;
use load::{Asking, Outcome, Patience, Shop};

use crate::history::CURRENCY;

const PLAIN: usize = 20;
/// Everybody wants these, and there are few.
const HOT: usize = 4;
const PLAIN_UNITS: i64 = 1_000_000;
const HOT_UNITS: i64 = 60;

/// Setting up may meet a shop that is not quite ready.
const PATIENCE: Patience = Patience {
    timeout: Duration::from_secs(10),
    total: Duration::from_secs(60),
    tries_max: 30,
    pause: Duration::from_millis(200),
    pause_max: Duration::from_secs(2),
};

#[derive(Debug, Clone)]
pub struct Catalogue {
    pub plain: Vec<String>,
    pub hot: Vec<String>,
    pub prices: BTreeMap<String, i64>,
    pub opening: BTreeMap<String, i64>,
}

impl Catalogue {
    pub fn new() -> Self {
        let plain: Vec<String> = (0..PLAIN).map(|n| format!("PLAIN-{n:02}")).collect();
        let hot: Vec<String> = (0..HOT).map(|n| format!("HOT-{n}")).collect();
        // No two sums of few prices are likely to be the same.
        let prices = (0..).map(|n: i64| 199 + 137 * n);
        let prices = plain.iter().chain(&hot).cloned().zip(prices).collect();
        let of = |skus: &[String], units: i64| -> Vec<(String, i64)> {
            skus.iter().map(|sku| (sku.clone(), units)).collect()
        };
        let opening = of(&plain, PLAIN_UNITS)
            .into_iter()
            .chain(of(&hot, HOT_UNITS))
            .collect();
        Self {
            plain,
            hot,
            prices,
            opening,
        }
    }

    /// Registers the items and sets the opening stock.
    pub async fn set_up(&self, shop: &Shop, seed: u64) -> Result<()> {
        let items = self.prices.iter().map(|(sku, price_minor)| stock::Item {
            sku: sku.clone(),
            title: sku.clone(),
            list_price: Some(Money {
                minor_units: *price_minor,
                currency_code: CURRENCY.to_owned(),
            }),
            ..stock::Item::default()
        });
        let items = stock::BatchUpsertItemsRequest {
            items: items.collect(),
        };
        let key = format!("chaos-{seed}-items");
        let asking = Asking {
            key: &key,
            patience: PATIENCE,
        };
        done(
            "items",
            shop.batch_upsert_items(items, asking).await.outcome,
        )?;
        for (sku, on_hand) in &self.opening {
            let set = stock::SetStockRequest {
                sku: sku.clone(),
                on_hand: *on_hand,
                reason: "opening stock".to_owned(),
                ..stock::SetStockRequest::default()
            };
            let key = format!("chaos-{seed}-opening-{sku}");
            let asking = Asking {
                key: &key,
                patience: PATIENCE,
            };
            done(sku, shop.set_stock(set, asking).await.outcome)?;
        }
        Ok(())
    }
}

fn done<T>(what: &str, outcome: Outcome<T>) -> Result<()> {
    match outcome {
        Outcome::Ok(_) => Ok(()),
        Outcome::Refused(error) | Outcome::Shed(error) | Outcome::Unknown(error) => {
            bail!("setting up {what}: {}", error.message)
        }
    }
}
