//! Customers who place orders at a constant rate, each asking once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Result, bail};
use api::common::v1::Money;
use api::inventory::v1 as stock;
use api::order::v1 as order;
use load::{Arrival, Asking, Latencies, Latency, Offered, OpenLoop, Outcome, Patience};
use parking_lot::Mutex;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::shop::Shop;

/// Many kinds of goods, so that no row of stock is what is measured.
const SKUS: u64 = 200;
/// As long as a customer would wait.
const TIMEOUT: Duration = Duration::from_secs(10);
/// More than any shop that turns calls away has under way.
const IN_FLIGHT_MAX: usize = 20_000;
const EXAMPLES_MAX: usize = 5;

pub(super) struct Client {
    shop: load::Shop,
    /// Of windows, so that no key is used twice.
    windows: AtomicU64,
}

/// What became of what was offered for a while.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Window {
    /// Orders a second that were asked for.
    pub(super) rate: f64,
    pub(super) seconds: f64,
    pub(super) offered: u64,
    /// Confirmed within the time that a customer waits.
    pub(super) confirmed: u64,
    /// Confirmed orders a second.
    pub(super) goodput: f64,
    /// Turned away before anything was done.
    pub(super) shed: u64,
    /// Neither the one nor the other.
    pub(super) failed: u64,
    pub(super) not_sent: u64,
    pub(super) accepted: Latency,
    pub(super) rejected: Latency,
    pub(super) examples: Vec<String>,
}

#[derive(Default)]
struct Counts {
    confirmed: AtomicU64,
    shed: AtomicU64,
    failed: AtomicU64,
    accepted: Latencies,
    rejected: Latencies,
    examples: Mutex<Vec<String>>,
}

impl Client {
    pub(super) async fn connect(shop: &Shop) -> Result<Self> {
        let shop = load::Shop::connect(shop.endpoints(), &shop.token())?;
        stock_up(&shop).await?;
        Ok(Self {
            shop,
            windows: AtomicU64::new(0),
        })
    }

    /// Offers orders at `rate` for so long, and waits for the last answer.
    pub(super) async fn offer(&self, rate: f64, length: Duration) -> Window {
        let window = self.windows.fetch_add(1, Relaxed);
        let counts = Arc::new(Counts::default());
        let offered = Arc::new(Offered::default());
        let stop = CancellationToken::new();
        let pace = OpenLoop {
            per_second: rate,
            in_flight_max: IN_FLIGHT_MAX,
        };
        let load = pace.run(stop.clone(), Arc::clone(&offered), |arrival| {
            let (shop, counts) = (self.shop.clone(), Arc::clone(&counts));
            async move { place(&shop, window, arrival, &counts).await }
        });
        let end = async {
            tokio::time::sleep(length).await;
            stop.cancel();
        };
        tokio::join!(load, end);
        let confirmed = counts.confirmed.load(Relaxed);
        let examples = counts.examples.lock().clone();
        Window {
            rate,
            seconds: length.as_secs_f64(),
            offered: offered.arrived(),
            confirmed,
            goodput: per_second(confirmed, length),
            shed: counts.shed.load(Relaxed),
            failed: counts.failed.load(Relaxed),
            not_sent: offered.not_sent(),
            accepted: counts.accepted.summary(),
            rejected: counts.rejected.summary(),
            examples,
        }
    }
}

impl Window {
    pub(super) fn line(&self) -> String {
        let Window {
            rate,
            goodput,
            shed,
            failed,
            not_sent,
            accepted,
            rejected,
            ..
        } = self;
        format!(
            "{rate:.0}/s offered, {goodput:.0}/s good, p99 {:.0} ms; {shed} turned away, p99 {:.1} ms; {failed} failed, {not_sent} not sent",
            accepted.p99_ms, rejected.p99_ms
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "no run has so many orders")]
fn per_second(count: u64, length: Duration) -> f64 {
    count as f64 / length.as_secs_f64()
}

/// Good is an order that is confirmed: that it was accepted is not what a
/// customer waits for.
async fn place(shop: &load::Shop, window: u64, arrival: Arrival, counts: &Counts) {
    let key = format!("overload-{window}-{}", arrival.number);
    let request = order::CreateOrderRequest {
        customer_id: "overload".to_owned(),
        currency_code: "GBP".to_owned(),
        lines: vec![order::NewOrderLine {
            sku: sku(arrival.number % SKUS),
            quantity: 1,
            unit_price: None,
        }],
        payment_method: "pm_card_visa".to_owned(),
        ..order::CreateOrderRequest::default()
    };
    let told = match shop.create_order(request, asking(&key)).await.outcome {
        Outcome::Ok(answer) => {
            let state = answer.order.map(|order| order.state());
            if state == Some(order::OrderState::Confirmed) {
                counts.confirmed.fetch_add(1, Relaxed);
                counts.accepted.since(arrival.intended);
                return;
            }
            format!("{state:?}")
        }
        Outcome::Shed(_) => {
            counts.shed.fetch_add(1, Relaxed);
            counts.rejected.since(arrival.intended);
            return;
        }
        Outcome::Refused(error) | Outcome::Unknown(error) => {
            format!("{:?} {:?}: {}", error.code, error.reason, error.message)
        }
    };
    counts.failed.fetch_add(1, Relaxed);
    // It was let in, and its customer has waited.
    counts.accepted.since(arrival.intended);
    let mut examples = counts.examples.lock();
    if examples.len() < EXAMPLES_MAX && !examples.contains(&told) {
        examples.push(told);
    }
}

fn asking(key: &str) -> Asking<'_> {
    Asking {
        key,
        patience: Patience::once(TIMEOUT),
    }
}

fn sku(number: u64) -> String {
    format!("OVERLOAD-{number}")
}

/// There is always enough: nobody is refused.
async fn stock_up(shop: &load::Shop) -> Result<()> {
    let items = stock::BatchUpsertItemsRequest {
        items: (0..SKUS)
            .map(|number| stock::Item {
                sku: sku(number),
                title: sku(number),
                list_price: Some(Money {
                    minor_units: 250,
                    currency_code: "GBP".to_owned(),
                }),
                ..stock::Item::default()
            })
            .collect(),
    };
    let items = shop
        .batch_upsert_items(items, asking("overload-items"))
        .await;
    if items.outcome.ok().is_none() {
        bail!("setting up the items: {:?}", items.outcome);
    }
    for number in 0..SKUS {
        let level = stock::SetStockRequest {
            sku: sku(number),
            on_hand: 1_000_000_000,
            reason: "opening stock".to_owned(),
            ..stock::SetStockRequest::default()
        };
        let key = format!("overload-stock-{number}");
        let level = shop.set_stock(level, asking(&key)).await;
        if level.outcome.ok().is_none() {
            bail!("setting up the stock: {:?}", level.outcome);
        }
    }
    Ok(())
}
