//! Who speaks to whom, and the proxy on the way.

use std::net::SocketAddr;

use anyhow::{Context, Result};

use tokio::sync::{Mutex, MutexGuard};

use super::ports::{Ports, local};
use super::{INVENTORY, ORDER, PAYMENT, SERVICES};
use crate::proxy::Proxy;

/// One way: from a process to one replica or store.
pub struct Link {
    /// `clients`, `webhooks`, or `order-service/0`.
    pub from: String,
    /// `payment-service/1`, `postgres`, `redis` or `simulator`.
    pub to: String,
    pub proxy: Proxy,
    turn: Mutex<()>,
}

impl Link {
    /// Whoever disturbs a link holds its turn until it is healed.
    pub async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// As it is shown: `order-service/0 → postgres`.
    pub fn name(&self) -> String {
        format!("{} → {}", self.from, self.to)
    }
}

#[derive(Default)]
pub struct Links {
    all: Vec<Link>,
    /// Where the others are, which no proxy stands before.
    direct: Vec<(String, SocketAddr)>,
}

/// What there is to be connected.
pub(super) struct Plan<'a> {
    pub ports: &'a Ports,
    pub postgres: u16,
    pub redis: u16,
    pub proxied: bool,
}

/// As it is named in a link.
pub(super) fn replica(service: &str, index: usize) -> String {
    format!("{service}/{index}")
}

impl Links {
    pub(super) async fn start(plan: &Plan<'_>) -> Result<Self> {
        let mut links = Self::default();
        links.direct.push(("postgres".into(), local(plan.postgres)));
        links.direct.push(("redis".into(), local(plan.redis)));
        let simulator = local(plan.ports.simulator);
        links.direct.push(("simulator".into(), simulator));
        for (service, listens) in &plan.ports.services {
            for (index, listens) in listens.iter().enumerate() {
                let name = replica(service, index);
                links.direct.push((name, local(listens.grpc)));
            }
        }
        let payments = &plan.ports.services[PAYMENT];
        let webhooks = payments.iter().map(|listens| local(listens.http));
        links.add("webhooks", PAYMENT, webhooks.collect()).await?;
        if plan.proxied {
            links.add_proxies(plan).await?;
        }
        Ok(links)
    }

    async fn add_proxies(&mut self, plan: &Plan<'_>) -> Result<()> {
        for service in SERVICES {
            let replicas = plan.ports.services[service].len();
            for index in 0..replicas {
                let name = replica(service, index);
                self.add_to("clients", &name).await?;
                self.add_to(&name, "postgres").await?;
                self.add_to(&name, "redis").await?;
                if service == PAYMENT {
                    self.add_to(&name, "simulator").await?;
                }
                if service == ORDER {
                    for peer in 0..replicas {
                        self.add_to(&name, &replica(PAYMENT, peer)).await?;
                        self.add_to(&name, &replica(INVENTORY, peer)).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn add_to(&mut self, from: &str, to: &str) -> Result<()> {
        let target = self.direct(to);
        self.add(from, to, vec![target]).await
    }

    async fn add(&mut self, from: &str, to: &str, targets: Vec<SocketAddr>) -> Result<()> {
        let proxy = Proxy::start(targets).await.context("a proxy")?;
        self.all.push(Link {
            from: from.to_owned(),
            to: to.to_owned(),
            proxy,
            turn: Mutex::default(),
        });
        Ok(())
    }

    /// Where `from` finds `to`: at the proxy between them if there is one.
    pub(super) fn address(&self, from: &str, to: &str) -> SocketAddr {
        let between = self
            .all
            .iter()
            .find(|link| link.from == from && link.to == to);
        between.map_or_else(|| self.direct(to), |link| link.proxy.address())
    }

    fn direct(&self, to: &str) -> SocketAddr {
        let found = self.direct.iter().find(|(name, _)| name == to);
        found.unwrap_or_else(|| panic!("no {to}")).1
    }

    pub fn all(&self) -> &[Link] {
        &self.all
    }

    /// # Panics
    /// If there is no such link.
    pub fn get(&self, from: &str, to: &str) -> &Link {
        let found = self
            .all
            .iter()
            .find(|link| link.from == from && link.to == to);
        found.unwrap_or_else(|| panic!("no link from {from} to {to}"))
    }

    /// All are as if nothing had been done to them.
    pub fn heal(&self) {
        for link in &self.all {
            link.proxy.heal();
        }
    }
}
