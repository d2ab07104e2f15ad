//! The whole shop.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use listener::tls::Connector;
use tempfile::TempDir;
use testkit::{TestRedis, free_port};

use crate::{Calls, Issuer, Part, part::Program};

/// What the three services serve.
pub const SERVICES: [&str; 6] = [
    "cartwright.order.v1.OrderService",
    "cartwright.order.v1.OrderAdminService",
    "cartwright.payment.v1.PaymentService",
    "cartwright.payment.v1.PaymentAdminService",
    "cartwright.inventory.v1.InventoryService",
    "cartwright.inventory.v1.InventoryAdminService",
];

/// How the parts of a shop speak to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// In the clear: services show tokens.
    Plain,
    /// By TLS with certificates of a CA of the shop's own.
    Tls,
}

/// Three services, the simulator, Postgres and Redis. Everything ends when it
/// is dropped.
pub struct Shop {
    pub order: Part,
    pub payment: Part,
    pub inventory: Part,
    pub simulator: Part,
    pub redis: TestRedis,
    /// Of staff.
    pub calls: Calls,
    pub issuer: Issuer,
    /// Database URLs by name: `orders`, `payments`, `inventory`.
    pub databases: BTreeMap<&'static str, String>,
    /// Addresses for the command line client.
    pub client_env: BTreeMap<String, String>,
    /// Where REST is, by service: `order`, `payment`, `inventory`.
    pub rest: BTreeMap<&'static str, String>,
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

    /// `extra` overrides settings by the names of the environment:
    /// `CARTWRIGHT__...`. The simulator takes of them what every process has.
    pub async fn start_with(extra: &[(&str, &str)]) -> Self {
        Self::start_over(Transport::Plain, extra).await
    }

    pub async fn start_over(transport: Transport, extra: &[(&str, &str)]) -> Self {
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
        let ports = Ports::choose(transport);
        let issuer = Issuer::new(directory.path());
        if transport == Transport::Tls {
            make_certificates(directory.path());
        }
        let tls = ports.tls(directory.path());
        let part = |name: &'static str, env: Env| {
            let settings = checkout().join(format!("deploy/local/{name}.toml"));
            let log = directory.path().join(format!("{name}.log"));
            Part::new(Program {
                name,
                file: program(name),
                settings,
                env,
                log,
            })
        };
        let env = Envs {
            ports: &ports,
            redis: &redis.url,
            databases: &databases,
            issuer: &issuer,
            directory: directory.path(),
            extra,
        };
        let mut shop = Self {
            order: part("order-service", env.order()),
            payment: part("payment-service", env.payment()),
            inventory: part("inventory-service", env.inventory()),
            simulator: part("payment-simulator", env.simulator()),
            calls: Calls::to(ports.urls(), tls.as_ref(), issuer.staff()),
            client_env: ports.client_env(&issuer, directory.path()),
            rest: ports.rest(),
            issuer,
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

/// As `make up TLS=on` makes them.
fn make_certificates(directory: &Path) {
    let status = Command::new(checkout().join("scripts/certificates"))
        .arg(directory)
        .args(["order-service", "payment-service", "inventory-service"])
        .status();
    assert!(status.is_ok_and(|status| status.success()), "certificates");
}

struct Ports {
    transport: Transport,
    order: u16,
    order_private: u16,
    payment: u16,
    payment_private: u16,
    order_http: u16,
    payment_http: u16,
    inventory_http: u16,
    inventory: u16,
    inventory_private: u16,
    simulator: u16,
    simulator_private: u16,
}

impl Ports {
    fn choose(transport: Transport) -> Self {
        Self {
            transport,
            order: free_port(),
            order_private: free_port(),
            payment: free_port(),
            payment_private: free_port(),
            order_http: free_port(),
            payment_http: free_port(),
            inventory_http: free_port(),
            inventory: free_port(),
            inventory_private: free_port(),
            simulator: free_port(),
            simulator_private: free_port(),
        }
    }

    fn url(&self, port: u16) -> String {
        let scheme = match self.transport {
            Transport::Plain => "http",
            Transport::Tls => "https",
        };
        format!("{scheme}://127.0.0.1:{port}")
    }

    fn tls(&self, directory: &Path) -> Option<Connector> {
        let ca = directory.join("ca.pem");
        let is_on = self.transport == Transport::Tls;
        is_on.then(|| Connector::trusting(&ca).expect("the CA of the shop"))
    }

    fn urls(&self) -> [String; 3] {
        [self.order, self.payment, self.inventory].map(|port| self.url(port))
    }

    fn rest(&self) -> BTreeMap<&'static str, String> {
        [
            ("order", self.order_http),
            ("payment", self.payment_http),
            ("inventory", self.inventory_http),
        ]
        .map(|(name, port)| (name, self.url(port)))
        .into()
    }

    fn client_env(&self, issuer: &Issuer, directory: &Path) -> Env {
        let [order, payment, inventory] = self.urls();
        let mut env: Env = [
            ("CARTWRIGHT_ORDER_URL", order),
            ("CARTWRIGHT_PAYMENT_URL", payment),
            ("CARTWRIGHT_INVENTORY_URL", inventory),
            ("CARTWRIGHT_TOKEN", issuer.staff()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        if self.transport == Transport::Tls {
            let ca = directory.join("ca.pem").display().to_string();
            env.insert("CARTWRIGHT_CA".to_owned(), ca);
        }
        env
    }
}

struct Envs<'a> {
    ports: &'a Ports,
    redis: &'a str,
    databases: &'a BTreeMap<&'static str, String>,
    issuer: &'a Issuer,
    directory: &'a Path,
    extra: &'a [(&'a str, &'a str)],
}

impl Envs<'_> {
    fn extra(&self, takes: impl Fn(&str) -> bool) -> Env {
        let taken = self.extra.iter().filter(|(key, _)| takes(key));
        taken
            .map(|&(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    /// On a laptop all goes to the trace store of `make up`; tests send what they
    /// do only where they say.
    fn silence(&self) -> Env {
        let sends = |(key, _): &(&str, &str)| key.ends_with("OTLP_ENDPOINT");
        let signals = match self.extra.iter().any(sends) {
            true => &[][..],
            false => &["TRACES", "METRICS", "LOGS"],
        };
        let names = signals
            .iter()
            .map(|signal| format!("OTEL_{signal}_EXPORTER"));
        names.map(|name| (name, "none".to_owned())).collect()
    }

    fn file(&self, name: impl std::fmt::Display) -> String {
        self.directory.join(name.to_string()).display().to_string()
    }

    fn service(&self, name: &str, database: &str, [grpc, http, private]: [u16; 3]) -> Env {
        let local = |port| format!("127.0.0.1:{port}");
        let mut env: Env = [
            ("SERVER__LISTEN", local(grpc)),
            ("SERVER__PAGE_TOKEN_SECRET", "for tests".to_owned()),
            ("HTTP__LISTEN", local(http)),
            ("PRIVATE_LISTEN", local(private)),
            ("DATABASE__URL", self.databases[database].clone()),
            ("REDIS__URL", self.redis.to_owned()),
            (
                "AUTH__JWKS_URL",
                format!("file://{}", self.issuer.jwks().display()),
            ),
        ]
        .map(named)
        .into();
        if self.ports.transport == Transport::Tls {
            env.extend([
                named(("TLS__CERTIFICATE", self.file(format_args!("{name}.pem")))),
                named(("TLS__KEY", self.file(format_args!("{name}.key")))),
                named(("TLS__CA", self.file("ca.pem"))),
            ]);
        }
        env.extend(self.silence());
        env.extend(self.extra(|_| true));
        env
    }

    fn order(&self) -> Env {
        let ports = self.ports;
        let own = [ports.order, ports.order_http, ports.order_private];
        let mut env = self.service("order-service", "orders", own);
        let token = self.issuer.service_token().display().to_string();
        env.extend([
            named(("INVENTORY__URL", ports.url(ports.inventory))),
            named(("INVENTORY__SERVER_NAME", "inventory-service".to_owned())),
            named(("INVENTORY__TOKEN_FILE", token.clone())),
            named(("PAYMENT__URL", ports.url(ports.payment))),
            named(("PAYMENT__SERVER_NAME", "payment-service".to_owned())),
            named(("PAYMENT__TOKEN_FILE", token)),
        ]);
        env
    }

    fn payment(&self) -> Env {
        let ports = self.ports;
        let own = [ports.payment, ports.payment_http, ports.payment_private];
        let mut env = self.service("payment-service", "payments", own);
        let provider = format!("http://127.0.0.1:{}", ports.simulator);
        env.extend([
            named(("PROVIDER__BASE_URL", provider)),
            named(("PROVIDER__API_KEY", "sk_test_e2e".to_owned())),
            named(("PROVIDER__WEBHOOK_SECRETS", "whsec_e2e".to_owned())),
        ]);
        env
    }

    fn inventory(&self) -> Env {
        let ports = self.ports;
        let own = [
            ports.inventory,
            ports.inventory_http,
            ports.inventory_private,
        ];
        self.service("inventory-service", "inventory", own)
    }

    fn simulator(&self) -> Env {
        let ports = self.ports;
        let local = |port| format!("127.0.0.1:{port}");
        let webhooks = format!("{}/webhooks/stripe", ports.url(ports.payment_http));
        let mut env: Env = [
            ("API__LISTEN", local(ports.simulator)),
            ("PRIVATE_LISTEN", local(ports.simulator_private)),
            ("API__API_KEY", "sk_test_e2e".to_owned()),
            ("BOOKS__DIRECTORY", self.file("books")),
            ("WEBHOOKS__URL", webhooks),
            ("WEBHOOKS__SECRET", "whsec_e2e".to_owned()),
        ]
        .map(named)
        .into();
        if ports.transport == Transport::Tls {
            env.insert("SSL_CERT_FILE".to_owned(), self.file("ca.pem"));
        }
        env.extend(self.silence());
        let everywhere = ["CARTWRIGHT__LOG__", "CARTWRIGHT__TELEMETRY__"];
        env.extend(self.extra(|key| everywhere.iter().any(|section| key.starts_with(section))));
        env
    }
}

fn named((key, value): (&str, String)) -> (String, String) {
    (format!("CARTWRIGHT__{key}"), value)
}
