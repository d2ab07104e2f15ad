//! Does to a running shop what the schedule says, and undoes it. Whatever ends
//! by itself is started again, as a cluster would.

mod journal;
mod replicas;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::Utc;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::schedule::{Fault, Planned};
use crate::shop::Shop;

pub use self::journal::{Ended, Journal, Notes, Tally};

/// Applies faults to one shop.
#[derive(Clone)]
pub struct Faults {
    pub(crate) shop: Arc<Shop>,
    pub(crate) journal: Arc<Journal>,
    turns: Arc<Turns>,
}

/// One fault after another, for what there is one of.
#[derive(Default)]
struct Turns {
    postgres: Mutex<()>,
    redis: Mutex<()>,
    provider: Mutex<()>,
}

impl Faults {
    pub fn new(shop: Arc<Shop>) -> Self {
        Self {
            shop,
            journal: Arc::default(),
            turns: Arc::default(),
        }
    }

    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Applies all, each at its time or when what it meets is free. Returns when
    /// the last is over.
    pub async fn run(&self, planned: Vec<Planned>) {
        let began = Instant::now();
        let mut under_way = JoinSet::new();
        for one in planned {
            sleep_until(began + one.at).await;
            let faults = self.clone();
            under_way.spawn(async move { faults.apply(one.fault).await });
        }
        while let Some(done) = under_way.join_next().await {
            if let Err(panicked) = done {
                self.journal.trouble(format!("a fault: {panicked}"));
            }
        }
    }

    async fn apply(&self, fault: Fault) {
        let what = fault.to_string();
        if let Err(error) = self.try_to(fault).await {
            self.journal.trouble(format!("{what}: {error:#}"));
        }
    }

    async fn try_to(&self, fault: Fault) -> Result<()> {
        let words = fault.to_string();
        let kind = fault.kind();
        match fault {
            Fault::Kill { target, pause } => self.kill(target, pause).await,
            Fault::Abort {
                target,
                point,
                passes,
            } => self.abort(target, point, passes).await,
            Fault::Terminate { target, pause } => self.terminate(target, pause).await,
            Fault::Freeze { target, length } => self.freeze(target, length).await,
            Fault::PostgresKill { pause } => self.postgres(kind, words, pause).await,
            Fault::PostgresStop { pause } => self.postgres(kind, words, pause).await,
            Fault::RedisKill { pause } => self.redis_kill(words, pause).await,
            Fault::RedisFlush => self.redis_flush().await,
            Fault::Network { .. } => self.network(fault).await,
            Fault::Provider { faults, length } => {
                let _turn = self.turns.provider.lock().await;
                let window = self.journal.begin(kind, words);
                self.shop.simulator.set_faults(&faults).await?;
                sleep(length).await;
                self.shop.simulator.heal().await?;
                window.end();
                Ok(())
            }
        }
    }

    async fn postgres(&self, kind: &'static str, words: String, pause: Duration) -> Result<()> {
        let _turn = self.turns.postgres.lock().await;
        let window = self.journal.begin(kind, words);
        match kind {
            "postgres kill" => self.shop.postgres.kill().await,
            _ => self.shop.postgres.stop().await,
        }
        sleep(pause).await;
        self.shop.postgres.start_again().await;
        window.end();
        Ok(())
    }

    async fn redis_kill(&self, words: String, pause: Duration) -> Result<()> {
        let _turn = self.turns.redis.lock().await;
        let window = self.journal.begin("redis kill", words);
        self.shop.redis.kill().await;
        sleep(pause).await;
        self.shop.redis.start_again().await;
        window.end();
        Ok(())
    }

    async fn redis_flush(&self) -> Result<()> {
        let _turn = self.turns.redis.lock().await;
        let window = self.journal.begin("redis flush", "redis flush".to_owned());
        self.shop.redis.flush().await?;
        self.journal.flushed(Utc::now());
        window.end();
        Ok(())
    }

    async fn network(&self, fault: Fault) -> Result<()> {
        let words = fault.to_string();
        let Fault::Network {
            from,
            to,
            conditions,
            reset,
            length,
        } = fault
        else {
            return Ok(());
        };
        let link = self.shop.links.get(&from, &to);
        let _turn = link.turn().await;
        let window = self.journal.begin("network", words);
        link.proxy.set(conditions);
        if reset {
            link.proxy.reset();
        }
        sleep(length).await;
        link.proxy.heal();
        window.end();
        Ok(())
    }

    /// Everything runs again and nothing is disturbed. What cannot be healed is
    /// trouble.
    pub async fn heal(&self) -> Result<()> {
        self.shop.links.heal();
        self.shop.simulator.heal().await.context("healing")?;
        for replica in self.shop.replicas() {
            let _turn = replica.turn().await;
            replica.thaw();
            self.bring_back(replica).await?;
        }
        Ok(())
    }
}
