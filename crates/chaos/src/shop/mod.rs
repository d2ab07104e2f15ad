//! A shop of real processes on ports of its own: replicas of each service, the
//! simulator, a private Postgres and Redis, and our proxies between them.
//! Everything ends with this process, however that ends.

mod links;
mod ports;
mod replica;
mod settings;
mod simulator;
mod stores;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use e2e::{Issuer, Part, Program, checkout};
use load::Endpoints;
use tempfile::TempDir;

use self::links::Plan;
use self::ports::Ports;
use self::settings::Env;

pub use self::links::{Link, Links};
pub use self::replica::{Replica, Restart};
pub use self::simulator::Simulator;
pub use self::stores::{Postgres, Redis};

pub const ORDER: &str = "order-service";
pub const PAYMENT: &str = "payment-service";
pub const INVENTORY: &str = "inventory-service";

/// In the order in which they start.
pub const SERVICES: [&str; 3] = [INVENTORY, PAYMENT, ORDER];

/// How long a process may take to be ready when nothing disturbs it.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone)]
pub struct Config {
    /// Holds the binaries of the services and of the simulator.
    pub programs: PathBuf,
    /// Of each service.
    pub replicas: usize,
    /// Whether our proxies stand between all processes. The one on the way of
    /// the webhooks is always there: it spreads them over the replicas.
    pub proxied: bool,
    /// As on the command line of `postgres`.
    pub postgres: Vec<String>,
    /// Settings by service, or by `payment-simulator`: names of the
    /// environment with their values.
    pub env: BTreeMap<&'static str, Vec<(String, String)>>,
}

impl Config {
    pub fn new(programs: impl Into<PathBuf>) -> Self {
        Self {
            programs: programs.into(),
            replicas: 2,
            proxied: false,
            postgres: Vec::new(),
            env: BTreeMap::new(),
        }
    }
}

pub struct Shop {
    pub postgres: Postgres,
    pub redis: Redis,
    pub simulator: Simulator,
    pub links: Links,
    pub issuer: Issuer,
    /// Direct URLs, past all proxies, by name: `orders`, `payments`, `inventory`.
    pub databases: BTreeMap<&'static str, String>,
    replicas: Vec<Arc<Replica>>,
    endpoints: Endpoints,
    directory: TempDir,
}

impl Shop {
    pub async fn start(config: &Config) -> Result<Self> {
        rustls::crypto::aws_lc_rs::default_provider()
            .install_default()
            .ok();
        let directory = make_directory()?;
        let postgres = Postgres::start(&config.postgres).await?;
        let redis = Redis::start().await;
        let ports = Ports::choose(config.replicas);
        let plan = Plan {
            ports: &ports,
            postgres: postgres.port(),
            redis: redis.port(),
            proxied: config.proxied,
        };
        let links = Links::start(&plan).await?;
        let issuer = Issuer::new(directory.path());
        let env = Env {
            ports: &ports,
            links: &links,
            issuer: &issuer,
            directory: directory.path(),
            extra: &config.env,
        };
        let part = |name: &'static str, label: String, env| {
            Part::new(Program {
                name,
                file: config.programs.join(name),
                settings: checkout().join(format!("deploy/local/{name}.toml")),
                env,
                log: directory.path().join(format!("{label}.log")),
            })
        };
        let simulator_part = part(simulator::NAME, simulator::NAME.to_owned(), env.simulator());
        let mut replicas = Vec::new();
        for service in SERVICES {
            for index in 0..config.replicas {
                let part = part(
                    service,
                    format!("{service}-{index}"),
                    env.service(service, index),
                );
                replicas.push(Arc::new(Replica::new(service, index, part)));
            }
        }
        let shop = Self {
            databases: postgres.databases(),
            simulator: Simulator::new(simulator_part, ports.simulator),
            endpoints: Endpoints {
                orders: env.clients_of(ORDER),
                payments: env.clients_of(PAYMENT),
                inventory: env.clients_of(INVENTORY),
            },
            postgres,
            redis,
            links,
            issuer,
            replicas,
            directory,
        };
        shop.start_all().await?;
        Ok(shop)
    }

    async fn start_all(&self) -> Result<()> {
        self.simulator.start(PATIENCE).await?;
        for service in SERVICES {
            self.replica(service, 0).migrate();
        }
        for replica in &self.replicas {
            replica.spawn(&[]);
        }
        for replica in &self.replicas {
            replica.ready(PATIENCE).await?;
        }
        Ok(())
    }

    /// # Panics
    /// If there is no such replica.
    pub fn replica(&self, service: &str, index: usize) -> &Arc<Replica> {
        let found = self
            .replicas
            .iter()
            .find(|replica| replica.is(service, index));
        found.unwrap_or_else(|| panic!("no {service}/{index}"))
    }

    pub fn replicas(&self) -> &[Arc<Replica>] {
        &self.replicas
    }

    /// Every start of a replica after the first, in order of time.
    pub fn restarts(&self) -> Vec<Restart> {
        let restarts = self.replicas.iter().flat_map(|replica| replica.restarts());
        let mut restarts: Vec<Restart> = restarts.collect();
        restarts.sort_by_key(|restart| restart.ready);
        restarts
    }

    /// As clients use them: all replicas of each service.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Of staff, who may do everything.
    pub fn token(&self) -> String {
        self.issuer.staff()
    }

    /// Holds logs, the provider's books and keys.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Leaves the directory behind, for who has to find out what went wrong.
    pub fn keep_directory(&mut self) -> &Path {
        self.directory.disable_cleanup(true);
        self.directory.path()
    }
}

fn make_directory() -> Result<TempDir> {
    let parent = checkout().join(".run/chaos");
    std::fs::create_dir_all(&parent)?;
    tempfile::Builder::new()
        .prefix("shop-")
        .tempdir_in(&parent)
        .with_context(|| format!("a directory in {}", parent.display()))
}
