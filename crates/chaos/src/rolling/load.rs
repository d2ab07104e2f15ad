//! Clients that ask once and count every call that did not do what it should.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Result, bail};
use api::common::v1::Money;
use api::inventory::v1 as stock;
use api::order::v1 as order;
use load::{Answered, Arrival, Asking, Latencies, Offered, OpenLoop, Outcome, Patience, Shop};
use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::report::Phase;

const SKU: &str = "ROLLING";
const OPENING: i64 = 1_000_000_000;
/// As long as a customer would wait. There is no second try.
const TIMEOUT: Duration = Duration::from_secs(15);
const IN_FLIGHT_MAX: usize = 1000;
const EXAMPLES_MAX: usize = 20;

/// Of ten calls: this many place an order, then so many look at one, and the
/// rest count goods.
const PLACE: u64 = 6;
const LOOK: u64 = 2;

/// A load that goes on until it is ended.
pub(super) struct Load {
    clients: Arc<Clients>,
    load: JoinHandle<()>,
    stop: CancellationToken,
}

struct Clients {
    shop: Shop,
    name: &'static str,
    /// What was told to be placed.
    orders: Arc<Mutex<Vec<String>>>,
    offered: Arc<Offered>,
    /// How many replicas are being replaced now.
    replacing: Arc<AtomicUsize>,
    ok: AtomicU64,
    failures: Mutex<BTreeMap<String, u64>>,
    examples: Mutex<Vec<String>>,
    calm: Latencies,
    during: Latencies,
}

/// A replica is being replaced as long as it lives.
pub(super) struct During(Arc<AtomicUsize>);

impl Drop for During {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Load {
    pub(super) fn begin(
        shop: &Shop,
        per_second: f64,
        name: &'static str,
        orders: &Arc<Mutex<Vec<String>>>,
    ) -> Self {
        let clients = Arc::new(Clients {
            shop: shop.clone(),
            name,
            orders: Arc::clone(orders),
            offered: Arc::default(),
            replacing: Arc::default(),
            ok: AtomicU64::new(0),
            failures: Mutex::default(),
            examples: Mutex::default(),
            calm: Latencies::default(),
            during: Latencies::default(),
        });
        let pace = OpenLoop {
            per_second,
            in_flight_max: IN_FLIGHT_MAX,
        };
        let stop = CancellationToken::new();
        let (callers, until) = (Arc::clone(&clients), stop.clone());
        let load = tokio::spawn(async move {
            let offered = Arc::clone(&callers.offered);
            let begin = |arrival| Arc::clone(&callers).arrived(arrival);
            pace.run(until, offered, begin).await;
        });
        Self {
            clients,
            load,
            stop,
        }
    }

    pub(super) fn during(&self) -> During {
        self.clients.replacing.fetch_add(1, Relaxed);
        During(Arc::clone(&self.clients.replacing))
    }

    pub(super) fn summary(&self) -> String {
        let Clients {
            ok,
            failures,
            during,
            ..
        } = &*self.clients;
        let failed: u64 = failures.lock().values().sum();
        let latency = during.summary();
        format!(
            "{} calls good, {failed} failed; while replicas are replaced p50 {:.0} ms, p99 {:.0} ms, at most {:.0} ms",
            ok.load(Relaxed),
            latency.p50_ms,
            latency.p99_ms,
            latency.max_ms
        )
    }

    /// Begins no more calls, waits for the answers, and tells what there was.
    pub(super) async fn end(self, phase: &mut Phase) {
        self.stop.cancel();
        self.load.await.expect("the load does not panic");
        let clients = self.clients;
        phase.requests = clients.offered.arrived();
        phase.ok = clients.ok.load(Relaxed);
        phase.failures = clients.failures.lock().clone();
        if clients.offered.not_sent() > 0 {
            let not_sent = "not sent: too many were under way".to_owned();
            phase.failures.insert(not_sent, clients.offered.not_sent());
        }
        phase.examples = clients.examples.lock().clone();
        phase.while_replaced = clients.during.summary();
        phase.while_calm = clients.calm.summary();
    }
}

impl Clients {
    async fn arrived(self: Arc<Self>, arrival: Arrival) {
        let is_during = self.replacing.load(Relaxed) > 0;
        let key = format!("rolling-{}-{}", self.name, arrival.number);
        let asking = Asking {
            key: &key,
            patience: Patience::once(TIMEOUT),
        };
        let placed = self.orders.lock().last().cloned();
        match (arrival.number % 10, placed) {
            (PLACE.., Some(id)) if arrival.number % 10 < PLACE + LOOK => {
                let request = order::GetOrderRequest { order_id: id };
                let answer = self.shop.get_order(request, asking).await;
                self.count("get_order", answer);
            }
            (PLACE.., Some(_)) => {
                let request = stock::AdjustStockRequest {
                    sku: SKU.to_owned(),
                    delta: 1,
                    reason: "counted".to_owned(),
                    ..stock::AdjustStockRequest::default()
                };
                let answer = self.shop.adjust_stock(request, asking).await;
                self.count("adjust_stock", answer);
            }
            _ => self.place(asking).await,
        }
        match is_during || self.replacing.load(Relaxed) > 0 {
            true => self.during.since(arrival.intended),
            false => self.calm.since(arrival.intended),
        }
    }

    /// Good is an order that is confirmed: that it was accepted is not what a
    /// customer waits for.
    async fn place(&self, asking: Asking<'_>) {
        let request = order::CreateOrderRequest {
            customer_id: "rolling".to_owned(),
            currency_code: "GBP".to_owned(),
            lines: vec![order::NewOrderLine {
                sku: SKU.to_owned(),
                quantity: 1,
                unit_price: None,
            }],
            payment_method: "pm_card_visa".to_owned(),
            ..order::CreateOrderRequest::default()
        };
        let answer = self.shop.create_order(request, asking).await;
        let order = answer.outcome.ok().and_then(|it| it.order.clone());
        match order {
            Some(order) => {
                self.orders.lock().push(order.id.clone());
                match order.state() {
                    order::OrderState::Confirmed => self.count("create_order", answer),
                    state => self.failed("create_order", state.as_str_name(), &order.id),
                }
            }
            None => self.count("create_order", answer),
        }
    }

    fn count<T>(&self, call: &str, answered: Answered<T>) {
        match answered.outcome {
            Outcome::Ok(_) => _ = self.ok.fetch_add(1, Relaxed),
            Outcome::Refused(error) | Outcome::Shed(error) | Outcome::Unknown(error) => {
                let what = error.reason.map_or_else(
                    || format!("{:?}", error.code),
                    |reason| reason.code().to_owned(),
                );
                self.failed(call, &what, &error.message);
            }
        }
    }

    fn failed(&self, call: &str, what: &str, why: &str) {
        let kind = format!("{call}: {what}");
        let mut examples = self.examples.lock();
        if examples.len() < EXAMPLES_MAX {
            examples.push(format!("{} {kind}: {why}", chrono::Utc::now()));
        }
        *self.failures.lock().entry(kind).or_default() += 1;
    }
}

/// There is always enough: nobody is refused.
pub(super) async fn stock_up(shop: &Shop) -> Result<()> {
    let items = stock::BatchUpsertItemsRequest {
        items: vec![stock::Item {
            sku: SKU.to_owned(),
            title: SKU.to_owned(),
            list_price: Some(Money {
                minor_units: 250,
                currency_code: "GBP".to_owned(),
            }),
            ..stock::Item::default()
        }],
    };
    let level = stock::SetStockRequest {
        sku: SKU.to_owned(),
        on_hand: OPENING,
        reason: "opening stock".to_owned(),
        ..stock::SetStockRequest::default()
    };
    let asking = |key| Asking {
        key,
        patience: Patience::once(TIMEOUT),
    };
    let items = shop
        .batch_upsert_items(items, asking("rolling-items"))
        .await;
    if items.outcome.ok().is_none() {
        bail!("setting up the item: {:?}", items.outcome);
    }
    let level = shop.set_stock(level, asking("rolling-stock")).await;
    if level.outcome.ok().is_none() {
        bail!("setting up the stock: {:?}", level.outcome);
    }
    Ok(())
}
