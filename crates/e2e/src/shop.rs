//! The whole shop.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use tempfile::TempDir;
use testkit::{TestRedis, free_port};

use crate::{Calls, Part};

/// Three services, the simulator, Postgres and Redis. Everything ends when it
/// is dropped.
pub struct Shop {
    pub order: Part,
    pub payment: Part,
    pub inventory: Part,
    pub simulator: Part,
    pub redis: TestRedis,
    pub calls: Calls,
    /// Database URLs by name: `orders`, `payments`, `inventory`.
    pub databases: BTreeMap<&'static str, String>,
    /// Addresses for the command line client.
    pub client_env: BTreeMap<String, String>,
    /// Where the simulator answers.
    pub simulator_url: String,
    directory: TempDir,
}

/// The settings of one process, on top of its file for laptops.
type Env = BTreeMap<String, String>;

/// The checkout that the tests are built from.
pub fn checkout() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the checkout is still there")
}

/// A program of the shop, built beside the tests.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let target = test.ancestors().nth(2).expect("target/PROFILE/deps/TEST");
    let program = target.join(name);
    assert!(
        program.is_file(),
        "{} is not built: run `cargo build --workspace --bins`, or `make test`",
        program.display()
    );
    program
}

impl Shop {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// `extra` overrides settings of every process that has them, by the names
    /// of the environment: `CARTWRIGHT__...`.
    pub async fn start_with(extra: &[(&str, &str)]) -> Self {
        // Each process of the shop installs its own; the client here too.
        rustls::crypto::aws_lc_rs::default_provider()
            .install_default()
            .ok();
        let directory = tempfile::tempdir().expect("a temporary directory");
        let redis = testkit::redis().await;
        let mut databases = BTreeMap::new();
        for name in ["orders", "payments", "inventory"] {
            databases.insert(name, testkit::database(&[]).await.url);
        }
        let ports = Ports::choose();
        let part = |name: &'static str, env: Env| {
            let settings = checkout().join(format!("deploy/local/{name}.toml"));
            let log = directory.path().join(format!("{name}.log"));
            let extra = extra
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            Part::new(name, settings, env.into_iter().chain(extra).collect(), log)
        };
        let env = Envs {
            ports: &ports,
            redis: &redis.url,
            databases: &databases,
        };
        let mut shop = Self {
            order: part("order-service", env.order()),
            payment: part("payment-service", env.payment()),
            inventory: part("inventory-service", env.inventory()),
            simulator: part("payment-simulator", env.simulator(directory.path())),
            calls: Calls::to(ports.order, ports.payment, ports.inventory),
            client_env: ports.client_env(),
            simulator_url: format!("http://127.0.0.1:{}", ports.simulator),
            redis,
            databases,
            directory,
        };
        shop.start_all().await;
        shop
    }

    async fn start_all(&mut self) {
        for part in [&self.order, &self.payment, &self.inventory] {
            part.migrate();
        }
        self.simulator.spawn();
        self.inventory.spawn();
        self.payment.spawn();
        self.order.spawn();
        self.simulator.ready().await;
        self.inventory.ready().await;
        self.payment.ready().await;
        self.order.ready().await;
    }

    /// A directory that goes with the shop.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

struct Ports {
    order: u16,
    order_private: u16,
    payment: u16,
    payment_private: u16,
    webhooks: u16,
    inventory: u16,
    inventory_private: u16,
    simulator: u16,
    simulator_private: u16,
}

impl Ports {
    fn choose() -> Self {
        Self {
            order: free_port(),
            order_private: free_port(),
            payment: free_port(),
            payment_private: free_port(),
            webhooks: free_port(),
            inventory: free_port(),
            inventory_private: free_port(),
            simulator: free_port(),
            simulator_private: free_port(),
        }
    }

    fn client_env(&self) -> Env {
        [
            ("CARTWRIGHT_ORDER_URL", self.order),
            ("CARTWRIGHT_PAYMENT_URL", self.payment),
            ("CARTWRIGHT_INVENTORY_URL", self.inventory),
        ]
        .map(|(name, port)| (name.to_owned(), format!("http://127.0.0.1:{port}")))
        .into()
    }
}

struct Envs<'a> {
    ports: &'a Ports,
    redis: &'a str,
    databases: &'a BTreeMap<&'static str, String>,
}

impl Envs<'_> {
    fn service(&self, database: &str, grpc: u16, private: u16) -> Env {
        [
            ("SERVER__LISTEN", format!("127.0.0.1:{grpc}")),
            ("SERVER__PAGE_TOKEN_SECRET", "for tests".to_owned()),
            ("PRIVATE_LISTEN", format!("127.0.0.1:{private}")),
            ("DATABASE__URL", self.databases[database].clone()),
            ("REDIS__URL", self.redis.to_owned()),
        ]
        .map(named)
        .into()
    }

    fn order(&self) -> Env {
        let mut env = self.service("orders", self.ports.order, self.ports.order_private);
        let url = |port| format!("http://127.0.0.1:{port}");
        env.extend([
            named(("INVENTORY__URL", url(self.ports.inventory))),
            named(("PAYMENT__URL", url(self.ports.payment))),
        ]);
        env
    }

    fn payment(&self) -> Env {
        let mut env = self.service("payments", self.ports.payment, self.ports.payment_private);
        let provider = format!("http://127.0.0.1:{}", self.ports.simulator);
        env.extend([
            named((
                "WEBHOOKS__LISTEN",
                format!("127.0.0.1:{}", self.ports.webhooks),
            )),
            named(("PROVIDER__BASE_URL", provider)),
            named(("PROVIDER__API_KEY", "sk_test_e2e".to_owned())),
            named(("PROVIDER__WEBHOOK_SECRETS", "whsec_e2e".to_owned())),
        ]);
        env
    }

    fn inventory(&self) -> Env {
        self.service(
            "inventory",
            self.ports.inventory,
            self.ports.inventory_private,
        )
    }

    fn simulator(&self, directory: &Path) -> Env {
        let webhooks = format!("http://127.0.0.1:{}/webhooks/stripe", self.ports.webhooks);
        let books = directory.join("books").display().to_string();
        [
            ("API__LISTEN", format!("127.0.0.1:{}", self.ports.simulator)),
            (
                "PRIVATE_LISTEN",
                format!("127.0.0.1:{}", self.ports.simulator_private),
            ),
            ("API__API_KEY", "sk_test_e2e".to_owned()),
            ("BOOKS__DIRECTORY", books),
            ("WEBHOOKS__URL", webhooks),
            ("WEBHOOKS__SECRET", "whsec_e2e".to_owned()),
        ]
        .map(named)
        .into()
    }
}

fn named((key, value): (&str, String)) -> (String, String) {
    (format!("CARTWRIGHT__{key}"), value)
}
