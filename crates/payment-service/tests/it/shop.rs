//! A whole payment service with its provider, and short words for what tests
//! say to them.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use api::common::v1 as common;
use api::payment::v1 as pb;
use health::Health;
use payment_service::{Around, MIGRATORS, Running, Settings};
use payment_simulator::Simulator;
use pb::payment_admin_service_client::PaymentAdminServiceClient;
use pb::payment_service_client::PaymentServiceClient;
use rpc::{Reason, Remote};
use serde_json::Value;
use testkit::TestDatabase;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use types::{Money, OrderId};
use uuid::Uuid;

pub const SECRET: &str = "whsec_test";
pub const OLD_SECRET: &str = "whsec_older";
const API_KEY: &str = "sk_test_shop";
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Shop {
    pub database: TestDatabase,
    pub client: PaymentServiceClient<Channel>,
    pub admin: PaymentAdminServiceClient<Channel>,
    pub grpc: SocketAddr,
    pub webhook_url: String,
    pub http: reqwest::Client,
    settings: Settings,
    provider: Provider,
    service: Option<Service>,
}

struct Service {
    shutdown: CancellationToken,
    tracker: TaskTracker,
}

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
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            with_webhooks: true,
            provider_timeout_ms: 1_000,
            // Nobody is there: events wait.
            redis_url: "redis://127.0.0.1:1".to_owned(),
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
        let channel = rpc::connect(&rpc::PeerSettings::at(format!("http://{grpc}"))).unwrap();
        Shop {
            database,
            client: PaymentServiceClient::new(channel.clone()),
            admin: PaymentAdminServiceClient::new(channel),
            grpc,
            webhook_url,
            http: reqwest::Client::new(),
            settings,
            provider,
            service: Some(service),
        }
    }

    /// Ends the service without grace, as a crash does, and starts it anew.
    pub async fn restart(&mut self) {
        self.crash();
        let (service, grpc) = Service::start(&self.settings).await;
        let channel = rpc::connect(&rpc::PeerSettings::at(format!("http://{grpc}"))).unwrap();
        self.client = PaymentServiceClient::new(channel.clone());
        self.admin = PaymentAdminServiceClient::new(channel);
        self.grpc = grpc;
        self.service = Some(service);
    }

    /// The service takes no calls and claims no work any more. What is under way
    /// cannot be torn out of a shared runtime: tests let it hang at the provider.
    pub fn crash(&mut self) {
        if let Some(service) = self.service.take() {
            service.shutdown.cancel();
            service.tracker.close();
        }
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

    // --- verbs

    pub async fn create(&self, order: OrderId, method: &str) -> Result<pb::Payment, Status> {
        let key = format!("create {order} 1");
        self.create_keyed(&key, creation(order, 1, 1_000, method))
            .await
    }

    pub async fn create_keyed(
        &self,
        key: &str,
        request: pb::CreatePaymentRequest,
    ) -> Result<pb::Payment, Status> {
        let mut client = self.client.clone();
        let response = client.create_payment(keyed(key, request)).await?;
        Ok(response.into_inner().payment.unwrap())
    }

    /// An authorized payment of 10.00 GBP.
    pub async fn authorized(&self) -> pb::Payment {
        self.authorized_by("pm_card_visa").await
    }

    pub async fn authorized_by(&self, method: &str) -> pb::Payment {
        let payment = self.create(OrderId::generate(), method).await.unwrap();
        assert_eq!(payment.state(), pb::PaymentState::Authorized);
        payment
    }

    pub async fn captured_by(&self, method: &str) -> pb::Payment {
        let payment = self.authorized_by(method).await;
        self.capture(&payment.id, None)
            .await
            .unwrap()
            .payment
            .unwrap()
    }

    pub async fn capture(
        &self,
        payment: &str,
        amount: Option<i64>,
    ) -> Result<pb::CapturePaymentResponse, Status> {
        let key = Uuid::now_v7().to_string();
        self.capture_keyed(&key, capturing(payment, amount)).await
    }

    pub async fn capture_keyed(
        &self,
        key: &str,
        request: pb::CapturePaymentRequest,
    ) -> Result<pb::CapturePaymentResponse, Status> {
        let mut client = self.client.clone();
        let response = client.capture_payment(keyed(key, request)).await?;
        Ok(response.into_inner())
    }

    pub async fn refund(
        &self,
        payment: &str,
        amount: Option<i64>,
    ) -> Result<pb::RefundPaymentResponse, Status> {
        let key = Uuid::now_v7().to_string();
        self.refund_keyed(&key, refunding(payment, amount)).await
    }

    pub async fn refund_keyed(
        &self,
        key: &str,
        request: pb::RefundPaymentRequest,
    ) -> Result<pb::RefundPaymentResponse, Status> {
        let mut client = self.client.clone();
        Ok(client
            .refund_payment(keyed(key, request))
            .await?
            .into_inner())
    }

    pub async fn void(&self, payment: &str) -> Result<Option<pb::Payment>, Status> {
        let key = Uuid::now_v7().to_string();
        self.void_keyed(&key, voiding(payment)).await
    }

    pub async fn void_order(&self, order: OrderId) -> Result<Option<pb::Payment>, Status> {
        let key = Uuid::now_v7().to_string();
        self.void_keyed(&key, voiding_order(order)).await
    }

    pub async fn void_keyed(
        &self,
        key: &str,
        request: pb::VoidPaymentRequest,
    ) -> Result<Option<pb::Payment>, Status> {
        let mut client = self.client.clone();
        let response = client.void_payment(keyed(key, request)).await?;
        Ok(response.into_inner().payment)
    }

    pub async fn confirm(&self, payment: &str) -> Result<pb::Payment, Status> {
        let mut client = self.client.clone();
        let request = pb::ConfirmPaymentRequest {
            payment_id: payment.to_owned(),
            etag: String::new(),
        };
        let key = Uuid::now_v7().to_string();
        let response = client.confirm_payment(keyed(&key, request)).await?;
        Ok(response.into_inner().payment.unwrap())
    }

    pub async fn get(&self, payment: &str) -> pb::Payment {
        self.get_target(
            pb::get_payment_request::Target::PaymentId(payment.to_owned()),
            false,
        )
        .await
        .unwrap()
    }

    pub async fn refreshed(&self, payment: &str) -> pb::Payment {
        self.get_target(
            pb::get_payment_request::Target::PaymentId(payment.to_owned()),
            true,
        )
        .await
        .unwrap()
    }

    pub async fn of_order(&self, order: OrderId) -> Result<pb::Payment, Status> {
        let target = pb::get_payment_request::Target::OrderId(order.to_string());
        self.get_target(target, false).await
    }

    async fn get_target(
        &self,
        target: pb::get_payment_request::Target,
        refresh: bool,
    ) -> Result<pb::Payment, Status> {
        let request = pb::GetPaymentRequest {
            refresh,
            target: Some(target),
        };
        let response = self.client.clone().get_payment(request).await?;
        Ok(response.into_inner().payment.unwrap())
    }

    /// Waits until the payment is as `wanted`.
    pub async fn wait_for(
        &self,
        payment: &str,
        wanted: impl Fn(&pb::Payment) -> bool,
    ) -> pb::Payment {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let found = self.get(payment).await;
            if wanted(&found) {
                return found;
            }
            assert!(tokio::time::Instant::now() < deadline, "still {found:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn wait_for_state(&self, payment: &str, state: pb::PaymentState) -> pb::Payment {
        self.wait_for(payment, |found| found.state() == state).await
    }

    // --- books

    /// Violations by invariant.
    pub async fn audit(&self) -> HashMap<String, (i64, Vec<String>)> {
        let request = pb::RunAuditRequest {
            skip_provider: false,
        };
        let response = self.admin.clone().run_audit(request).await.unwrap();
        let findings = response.into_inner().findings.into_iter();
        findings
            .map(|finding| (finding.invariant, (finding.violations, finding.samples)))
            .collect()
    }

    pub async fn assert_sound(&self) {
        let findings = self.audit().await;
        assert_eq!(findings.len(), 8);
        for (invariant, (violations, samples)) in findings {
            assert_eq!(violations, 0, "{invariant}: {samples:?}");
        }
    }

    pub async fn count(&self, statement: &'static str) -> i64 {
        let mut conn = self.database.db.acquire().await.unwrap();
        sqlx::query_scalar(statement)
            .fetch_one(&mut *conn)
            .await
            .unwrap()
    }

    pub async fn execute(&self, statement: &'static str) -> Result<u64, sqlx::Error> {
        let mut conn = self.database.db.acquire().await.unwrap();
        let done = sqlx::query(statement).execute(&mut *conn).await?;
        Ok(done.rows_affected())
    }

    /// The kinds of the events told about a payment, in order.
    pub async fn events_of(&self, payment: &str) -> Vec<String> {
        let mut conn = self.database.db.acquire().await.unwrap();
        let id = Uuid::parse_str(payment).unwrap();
        let rows: Vec<(i64, String)> = sqlx::query_as(
            "select sequence, kind from outbox where aggregate = $1 order by position",
        )
        .bind(id)
        .fetch_all(&mut *conn)
        .await
        .unwrap();
        for (place, (sequence, _)) in rows.iter().enumerate() {
            assert_eq!(usize::try_from(*sequence).unwrap(), place + 1, "{rows:?}");
        }
        rows.into_iter().map(|(_, kind)| kind).collect()
    }

    /// Posts a webhook; gives the HTTP status.
    pub async fn post_webhook(&self, signature: &str, body: String) -> u16 {
        let request = self
            .http
            .post(&self.webhook_url)
            .header("Stripe-Signature", signature)
            .body(body);
        request.send().await.unwrap().status().as_u16()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.crash();
    }
}

impl Service {
    async fn start(settings: &Settings) -> (Service, SocketAddr) {
        let around = Around {
            health: Health::new(),
            shutdown: CancellationToken::new(),
            tracker: TaskTracker::new(),
            drain: Duration::from_secs(1),
        };
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let running: Running = loop {
            match payment_service::start(settings, &around).await {
                Ok(running) => break running,
                // The listener of the one before is about to close.
                Err(error) if tokio::time::Instant::now() > deadline => panic!("{error}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        for (name, part) in running.parts {
            around.tracker.spawn(async move {
                if let Err(error) = part.await {
                    panic!("{name}: {error}");
                }
            });
        }
        let service = Service {
            shutdown: around.shutdown,
            tracker: around.tracker,
        };
        (service, running.grpc)
    }
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
        server: rpc::ServerSettings::at(any_port, "a secret for pages".into()),
        database: database.settings.clone(),
        redis: serde_json::from_value(redis).unwrap(),
        provider: payment_service::provider::Settings {
            base_url: provider.url(),
            api_key: API_KEY.into(),
            webhook_secrets: vec![SECRET.into(), OLD_SECRET.into()],
            timeout_ms: wishes.provider_timeout_ms,
            concurrency_max: 64,
        },
        webhooks: payment_service::http::Settings {
            listen: SocketAddr::from(([127, 0, 0, 1], webhook_port)),
            connections_max: 64,
        },
        checks: payment_service::app::Policy {
            abandoned_after_ms: wishes.provider_timeout_ms + 1_000,
            ask_again_after_ms: 100,
            poll_ms: 500,
            pause_ms_max: 500,
        },
    }
}

pub fn gbp(minor: i64) -> common::Money {
    Money::new(minor, "GBP".parse().unwrap()).into()
}

pub fn creation(
    order: OrderId,
    attempt: i32,
    amount_minor: i64,
    method: &str,
) -> pb::CreatePaymentRequest {
    pb::CreatePaymentRequest {
        order_id: order.to_string(),
        attempt,
        amount: Some(gbp(amount_minor)),
        payment_method: method.to_owned(),
    }
}

pub fn capturing(payment: &str, amount: Option<i64>) -> pb::CapturePaymentRequest {
    pb::CapturePaymentRequest {
        payment_id: payment.to_owned(),
        amount: amount.map(gbp),
        r#final: false,
        etag: String::new(),
    }
}

pub fn refunding(payment: &str, amount: Option<i64>) -> pb::RefundPaymentRequest {
    pb::RefundPaymentRequest {
        payment_id: payment.to_owned(),
        amount: amount.map(gbp),
        reason: "came back".to_owned(),
        etag: String::new(),
    }
}

pub fn voiding(payment: &str) -> pb::VoidPaymentRequest {
    pb::VoidPaymentRequest {
        target: Some(pb::void_payment_request::Target::PaymentId(
            payment.to_owned(),
        )),
        reason: "changed his mind".to_owned(),
        etag: String::new(),
    }
}

pub fn voiding_order(order: OrderId) -> pb::VoidPaymentRequest {
    pb::VoidPaymentRequest {
        target: Some(pb::void_payment_request::Target::OrderId(order.to_string())),
        reason: "changed his mind".to_owned(),
        etag: String::new(),
    }
}

pub fn keyed<T>(key: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let key = key.parse().expect("a key that fits into metadata");
    request.metadata_mut().insert("idempotency-key", key);
    request
}

/// Whether an answer was given before.
pub fn is_replayed<T>(response: &Response<T>) -> bool {
    response.metadata().get("idempotent-replayed").is_some()
}

pub fn reason<T: std::fmt::Debug>(result: Result<T, Status>) -> Reason {
    let status = result.expect_err("a refusal");
    let told = Remote::from(&status).reason;
    told.unwrap_or_else(|| panic!("no reason in {status:?}"))
}

pub fn decline_code<T: std::fmt::Debug>(result: Result<T, Status>) -> String {
    let remote = Remote::from(&result.expect_err("a refusal"));
    remote.metadata["decline_code"].clone()
}
