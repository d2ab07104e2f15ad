//! Clients of the shop: they call at a constant rate, whatever becomes of it,
//! want all that can be wanted of an order, ask again while they do not know
//! what became of a call, and remember what they were told.

mod call;
mod catalogue;
mod known;
mod mix;
pub mod tail;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use load::{Arrival, Endpoints, Latencies, Latency, Offered, OpenLoop, Shop};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::call::{Call, Client};
use self::catalogue::Catalogue;
use self::known::{Action, Known, KnownOrder, UsedKey};
use self::mix::Deed;
use crate::history::{Answer, Asked, Entry, History, Published, Told, Watched};

/// The provider's own door, for customers who have to act.
#[derive(Debug, Clone)]
pub struct ProviderAccess {
    pub url: String,
    pub api_key: String,
}

#[derive(Debug, Clone)]
pub struct Config {
    pub endpoints: Endpoints,
    /// Of staff.
    pub token: String,
    pub provider: ProviderAccess,
    /// A URL of Redis that no fault stands before.
    pub redis: String,
    pub per_second: f64,
    pub seed: u64,
    /// What arrives while so many calls are under way is not sent.
    pub in_flight_max: usize,
}

/// How the load stands.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Counters {
    pub arrived: u64,
    pub not_sent: u64,
    pub in_flight: u64,
    pub ok: u64,
    pub refused: u64,
    pub shed: u64,
    pub unknown: u64,
    /// Tries beyond the first.
    pub retries: u64,
    /// Orders that were told to be confirmed.
    pub confirmed: u64,
    /// From the intended start to the answer that ended a call.
    pub latency: Latency,
}

/// A load that goes on until it is stopped.
pub struct Workload {
    shared: Arc<Shared>,
    load: JoinHandle<()>,
    followers: [JoinHandle<()>; 2],
    stop_load: CancellationToken,
    stop_following: CancellationToken,
}

struct Shared {
    seed: u64,
    client: Client,
    catalogue: Catalogue,
    known: Mutex<Known>,
    entries: Mutex<Vec<Entry>>,
    watched: Mutex<Vec<Watched>>,
    movements: Arc<Mutex<Vec<i64>>>,
    published: Arc<Mutex<Vec<Published>>>,
    offered: Arc<Offered>,
    latencies: Latencies,
    counts: Counts,
    clock: Clock,
}

#[derive(Default)]
struct Counts {
    ok: AtomicU64,
    refused: AtomicU64,
    shed: AtomicU64,
    unknown: AtomicU64,
    retries: AtomicU64,
    confirmed: AtomicU64,
}

/// Tells the time of day of an instant.
struct Clock(Instant, DateTime<Utc>);

impl Clock {
    fn at(&self, instant: Instant) -> DateTime<Utc> {
        let since = instant.saturating_duration_since(self.0);
        self.1 + TimeDelta::from_std(since).unwrap_or_default()
    }
}

impl Workload {
    /// Sets the opening stock, then begins.
    ///
    /// # Errors
    /// When the shop cannot be set up.
    pub async fn start(config: Config) -> Result<Self> {
        let shop = Shop::connect(&config.endpoints, &config.token)?;
        let catalogue = Catalogue::new();
        catalogue.set_up(&shop, config.seed).await?;
        let shared = Arc::new(Shared {
            seed: config.seed,
            client: Client {
                shop: shop.clone(),
                provider: config.provider,
                http: reqwest::Client::new(),
            },
            catalogue,
            known: Mutex::default(),
            entries: Mutex::default(),
            watched: Mutex::default(),
            movements: Arc::default(),
            published: Arc::default(),
            offered: Arc::default(),
            latencies: Latencies::default(),
            counts: Counts::default(),
            clock: Clock(Instant::now(), Utc::now()),
        });
        let (stop_load, stop_following) = (CancellationToken::new(), CancellationToken::new());
        let pace = OpenLoop {
            per_second: config.per_second,
            in_flight_max: config.in_flight_max,
        };
        let movements = Arc::clone(&shared.movements);
        let published = Arc::clone(&shared.published);
        let followers = [
            tokio::spawn(watch::movements(shop, movements, stop_following.clone())),
            tokio::spawn(tail::follow(
                config.redis,
                published,
                stop_following.clone(),
            )),
        ];
        let (of_load, stop) = (Arc::clone(&shared), stop_load.clone());
        let load = tokio::spawn(async move {
            let offered = Arc::clone(&of_load.offered);
            let begin = |arrival| Arc::clone(&of_load).arrived(arrival);
            pace.run(stop, offered, begin).await;
        });
        Ok(Self {
            shared,
            load,
            followers,
            stop_load,
            stop_following,
        })
    }

    pub fn counters(&self) -> Counters {
        let Shared {
            offered, counts, ..
        } = &*self.shared;
        Counters {
            arrived: offered.arrived(),
            not_sent: offered.not_sent(),
            in_flight: offered.in_flight(),
            ok: counts.ok.load(Relaxed),
            refused: counts.refused.load(Relaxed),
            shed: counts.shed.load(Relaxed),
            unknown: counts.unknown.load(Relaxed),
            retries: counts.retries.load(Relaxed),
            confirmed: counts.confirmed.load(Relaxed),
            latency: self.shared.latencies.summary(),
        }
    }

    /// Begins no more calls, and waits until each that was begun has its end.
    pub async fn stop(self) -> History {
        self.stop_load.cancel();
        self.load.await.expect("the load does not panic");
        self.stop_following.cancel();
        for follower in self.followers {
            follower.await.expect("a follower does not panic");
        }
        self.shared.history()
    }
}

impl Shared {
    async fn arrived(self: Arc<Self>, arrival: Arrival) {
        let mut dice = mix::dice(self.seed, arrival.number);
        let deed = mix::choose(&mut self.known.lock(), &self.catalogue, &mut dice);
        let key = |what: &str| format!("chaos-{}-{}-{what}", self.seed, arrival.number);
        match deed {
            Deed::Ask(asked) => {
                let told = self.ask(arrival, &key(asked.name()), &asked, false).await;
                self.go_on(arrival, &asked, &told, &key).await;
            }
            Deed::Again(UsedKey { key, asked }) => {
                self.ask(arrival, &key, &asked, true).await;
            }
            Deed::Watch { order } => {
                let watched = watch::order(self.client.shop.clone(), order).await;
                self.watched.lock().push(watched);
            }
        }
    }

    /// What comes of an answer at once: a return that was announced arrives, an
    /// order that is not decided yet is cancelled.
    async fn go_on(
        &self,
        arrival: Arrival,
        asked: &Asked,
        told: &Told,
        key: &impl Fn(&str) -> String,
    ) {
        let next = match (asked, told.answer()) {
            (Asked::AnnounceReturn { order, .. }, Some(Answer::Work(work))) => {
                Asked::ReceiveReturn {
                    order: order.clone(),
                    id: work.id.clone(),
                }
            }
            (Asked::Create(new), Some(Answer::Order(order)))
                if new.accepted_is_enough
                    && mix::is_cancelled_at_once(self.seed, arrival.number) =>
            {
                Asked::Cancel {
                    order: order.id.clone(),
                }
            }
            _ => return,
        };
        let arrival = Arrival {
            intended: Instant::now(),
            ..arrival
        };
        self.ask(arrival, &key(next.name()), &next, false).await;
    }

    async fn ask(&self, arrival: Arrival, key: &str, asked: &Asked, repeat: bool) -> Told {
        let call = self.client.call(key, asked).await;
        self.latencies.since(arrival.intended);
        self.count(&call);
        self.learn(asked, &call);
        if !repeat && !matches!(asked, Asked::Act { .. }) {
            self.known.lock().used(UsedKey {
                key: key.to_owned(),
                asked: asked.clone(),
            });
        }
        let told = call.told.clone();
        self.entries.lock().push(Entry {
            number: arrival.number,
            asked: asked.clone(),
            key: key.to_owned(),
            repeat,
            intended: self.clock.at(arrival.intended),
            sent: self.clock.at(call.sent),
            answered: self.clock.at(call.answered),
            attempts: call.attempts,
            told: call.told,
        });
        told
    }

    fn count(&self, call: &Call) {
        let counts = &self.counts;
        let of_told = match &call.told {
            Told::Ok { .. } => &counts.ok,
            Told::Refused { .. } => &counts.refused,
            Told::Shed { .. } => &counts.shed,
            Told::Unknown { .. } => &counts.unknown,
        };
        of_told.fetch_add(1, Relaxed);
        let retries = u64::from(call.attempts.saturating_sub(1));
        counts.retries.fetch_add(retries, Relaxed);
    }

    /// A new order may be worked on from now on.
    fn learn(&self, asked: &Asked, call: &Call) {
        let (Asked::Create(_), Some(Answer::Order(order))) = (asked, call.told.answer()) else {
            return;
        };
        if order.state == "CONFIRMED" {
            self.counts.confirmed.fetch_add(1, Relaxed);
        }
        let mut known = self.known.lock();
        if let Some(intent) = call.action_url.as_deref().and_then(intent_of) {
            known.waits_for_customer(Action {
                order: order.id.clone(),
                intent,
            });
        }
        known.accepted(KnownOrder {
            id: order.id.clone(),
            quantities: order.lines.iter().map(|line| line.quantity).collect(),
            total_minor: order.total_minor.unwrap_or(1),
        });
    }

    fn history(&self) -> History {
        History {
            seed: self.seed,
            opening: self.catalogue.opening.clone(),
            prices: self.catalogue.prices.clone(),
            entries: std::mem::take(&mut *self.entries.lock()),
            watched: std::mem::take(&mut *self.watched.lock()),
            movements: std::mem::take(&mut *self.movements.lock()),
            published: std::mem::take(&mut *self.published.lock()),
            not_sent: self.offered.not_sent(),
        }
    }
}

/// The page that a customer is sent to names the provider's payment.
fn intent_of(url: &str) -> Option<String> {
    let (_, path) = url.split_once("/payment_intents/")?;
    path.split('/').next().map(str::to_owned)
}
