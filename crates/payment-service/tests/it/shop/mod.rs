//! A whole payment service with its provider, and short words for what tests
//! say to them.

mod books;
mod messages;
mod verbs;

pub use messages::{
    capturing, creation, decline_code, gbp, is_replayed, keyed, reason, refunding, voiding,
    voiding_order,
};

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use api::payment::v1 as pb;
use health::Health;
use payment_service::{Around, MIGRATORS, Running, Settings};
use payment_simulator::Simulator;
use pb::payment_admin_service_client::PaymentAdminServiceClient;
use pb::payment_service_client::PaymentServiceClient;
use serde_json::Value;
use testkit::TestDatabase;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub const SECRET: &str = "whsec_test";
pub const OLD_SECRET: &str = "whsec_older";
const API_KEY: &str = "sk_test_shop";
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Shop {
    pub database: TestDatabase,
    pub client: PaymentServiceClient<rpc::Channel>,
    pub admin: PaymentAdminServiceClient<rpc::Channel>,
    pub webhook_url: String,
    pub http: reqwest::Client,
    settings: Settings,
    provider: Provider,
    service: Option<Service>,
}

/// On a runtime of its own, which is all that a crash leaves nothing of: work
/// ends wherever it waits.
struct Service(Option<tokio::runtime::Runtime>);

/// The simulator and how it was started.
struct Provider {
    settings: payment_simulator::Settings,
    running: Option<Simulator>,
    _directory: tempfile::TempDir,
}

/// What tests vary.
pub struct Wishes {
    pub with_webhooks: bool,
    pub provider_timeout_ms: u64,
    pub redis_url: String,
    pub metrics: gauges::Settings,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            with_webhooks: true,
            provider_timeout_ms: 1_000,
            // Nobody is there: events wait.
            redis_url: "redis://127.0.0.1:1".to_owned(),
            metrics: gauges::Settings::default(),
        }
    }
}

impl Shop {
    pub async fn open() -> Shop {
        Shop::open_with(Wishes::default()).await
    }

    /// With a provider that never sends a webhook.
    pub async fn open_without_webhooks() -> Shop {
        Shop::open_with(Wishes {
            with_webhooks: false,
            ..Wishes::default()
        })
        .await
    }

    pub async fn open_with(wishes: Wishes) -> Shop {
        let webhook_port = testkit::free_port();
        let webhook_url = format!("http://127.0.0.1:{webhook_port}/webhooks/stripe");
        let provider = Provider::start(wishes.with_webhooks.then_some(&webhook_url)).await;
        let database = testkit::database(&MIGRATORS).await;
        let settings = settings(&database, &provider, webhook_port, &wishes);
        let (service, grpc) = Service::start(&settings).await;
        let channel = rpc::connect(&rpc::PeerSettings::at(format!("http://{grpc}")), None).unwrap();
        Shop {
            database,
            client: PaymentServiceClient::new(channel.clone()),
            admin: PaymentAdminServiceClient::new(channel),
            webhook_url,
            http: reqwest::Client::new(),
            settings,
            provider,
            service: Some(service),
        }
    }

    /// Ends the service as a kill does, and starts it anew.
    pub async fn restart(&mut self) {
        self.service.take();
        let (service, grpc) = Service::start(&self.settings).await;
        let channel = rpc::connect(&rpc::PeerSettings::at(format!("http://{grpc}")), None).unwrap();
        self.client = PaymentServiceClient::new(channel.clone());
        self.admin = PaymentAdminServiceClient::new(channel);
        self.service = Some(service);
    }

    // --- the provider

    pub async fn provider_down(&mut self) {
        if let Some(simulator) = self.provider.running.take() {
            simulator.stop(Duration::from_secs(1)).await;
        }
    }

    pub async fn provider_up(&mut self) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        self.provider.running = loop {
            match Simulator::start(&self.provider.settings).await {
                Ok(simulator) => break Some(simulator),
                Err(error) if tokio::time::Instant::now() > deadline => panic!("{error}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        };
    }

    pub async fn faults(&self, faults: Value) {
        let reply = self
            .http
            .post(format!("{}/_simulator/faults", self.provider.url()))
            .bearer_auth(API_KEY)
            .json(&faults)
            .send()
            .await
            .unwrap();
        assert!(
            reply.status().is_success(),
            "{}",
            reply.text().await.unwrap()
        );
    }

    /// The provider's own totals of a currency.
    pub async fn their_total(&self, currency: &str, name: &str) -> i64 {
        let books = self.provider_get("/_simulator/books").await;
        books[currency][name].as_i64().unwrap_or_default()
    }

    pub async fn provider_get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.provider.url());
        let reply = self
            .http
            .get(url)
            .bearer_auth(API_KEY)
            .send()
            .await
            .unwrap();
        serde_json::from_str(&reply.text().await.unwrap()).unwrap()
    }

    pub async fn provider_post(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let url = format!("{}{path}", self.provider.url());
        let request = self.http.post(url).bearer_auth(API_KEY).form(form);
        let reply = request.send().await.unwrap();
        serde_json::from_str(&reply.text().await.unwrap()).unwrap()
    }

    /// The provider's intents for a payment.
    pub async fn intents_of(&self, payment: &str) -> Vec<Value> {
        let list = self.provider_get("/v1/payment_intents?limit=100").await;
        let all = list["data"].as_array().unwrap().clone();
        all.into_iter()
            .filter(|intent| intent["metadata"]["payment_id"] == payment)
            .collect()
    }
}

impl Service {
    async fn start(settings: &Settings) -> (Service, SocketAddr) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let grpc = runtime.spawn(serve(settings.clone())).await.unwrap();
        (Service(Some(runtime)), grpc)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

async fn serve(settings: Settings) -> SocketAddr {
    let around = Around {
        health: Health::new(),
        shutdown: CancellationToken::new(),
        tracker: TaskTracker::new(),
        drain: Duration::from_secs(1),
        auth: auth::Settings::none(),
    };
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let running: Running = loop {
        match payment_service::start(&settings, &around).await {
            Ok(running) => break running,
            // The listener of the one before is about to be closed.
            Err(error) if tokio::time::Instant::now() > deadline => panic!("{error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    for (name, part) in running.parts {
        tokio::spawn(async move {
            if let Err(error) = part.await {
                panic!("{name}: {error}");
            }
        });
    }
    running.grpc
}

impl Provider {
    async fn start(webhook_url: Option<&String>) -> Provider {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = payment_simulator::Settings::default();
        settings.api.listen = SocketAddr::from(([127, 0, 0, 1], testkit::free_port()));
        settings.api.api_key = API_KEY.into();
        settings.books.directory = PathBuf::from(directory.path());
        settings.webhooks.url = webhook_url.map(|url| url.parse().unwrap());
        settings.webhooks.secret = SECRET.into();
        settings.webhooks.retry_ms_min = 20;
        settings.refunds.settle_ms = 300;
        let running = Simulator::start(&settings).await.unwrap();
        Provider {
            settings,
            running: Some(running),
            _directory: directory,
        }
    }

    fn url(&self) -> String {
        format!("http://{}", self.settings.api.listen)
    }
}

fn settings(
    database: &TestDatabase,
    provider: &Provider,
    webhook_port: u16,
    wishes: &Wishes,
) -> Settings {
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let redis = serde_json::json!({ "url": wishes.redis_url });
    Settings {
        server: edge::ServerSettings::at(any_port, "a secret for pages".into()),
        database: database.settings.clone(),
        redis: serde_json::from_value(redis).unwrap(),
        provider: payment_service::provider::Settings {
            base_url: provider.url(),
            api_key: API_KEY.into(),
            webhook_secrets: vec![SECRET.into(), OLD_SECRET.into()],
            timeout_ms: wishes.provider_timeout_ms,
            concurrency_max: 64,
        },
        http: edge::HttpSettings::at(SocketAddr::from(([127, 0, 0, 1], webhook_port))),
        connections: listener::Limits::default(),
        tls: None,
        limits: limits::Settings::default(),
        checks: payment_service::app::Policy {
            abandoned_after_ms: wishes.provider_timeout_ms + 1_000,
            ask_again_after_ms: 100,
            poll_ms: 500,
            pause_ms_max: 500,
        },
        metrics: wishes.metrics,
    }
}
