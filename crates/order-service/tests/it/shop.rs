//! A whole order service for one test: own database, own Redis, fake peers. It
//! runs on a runtime of its own, so that it can be killed at any moment.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use api::order::v1 as pb;
use edge::{HttpSettings, ServerSettings};
use order_service::{Features, MIGRATORS, SagaSettings, Settings};
use pb::order_admin_service_client::OrderAdminServiceClient;
use pb::order_service_client::OrderServiceClient;
use rpc::PeerSettings;
use testkit::{TestDatabase, TestRedis};
use tonic::Status;
use tonic::transport::Channel;

use crate::fakes::Fakes;
use crate::process::Service;
pub use crate::requests::*;

pub const PATIENCE: Duration = Duration::from_secs(15);

/// Tests that look at no gauge need none.
const NEVER: gauges::Settings = gauges::Settings {
    interval_s: 0,
    audit_interval_s: 0,
};

pub struct Shop {
    pub fakes: Fakes,
    pub store: TestDatabase,
    pub redis: TestRedis,
    pub saga: SagaSettings,
    pub metrics: gauges::Settings,
    service: Option<Service>,
    pub orders: OrderServiceClient<Channel>,
    pub admin: OrderAdminServiceClient<Channel>,
}

/// Leases are short, so that tests of recovery are.
pub fn quick() -> SagaSettings {
    SagaSettings {
        lease_ms: 900,
        payment_poll_ms: 200,
        backoff_max_ms: 300,
        ..SagaSettings::default()
    }
}

impl Shop {
    pub async fn open() -> Shop {
        Self::open_with(quick()).await
    }

    pub async fn open_with(saga: SagaSettings) -> Shop {
        Self::open_on(testkit::database(&MIGRATORS).await, saga).await
    }

    pub async fn open_on(store: TestDatabase, saga: SagaSettings) -> Shop {
        // For whoever looks into a failure: SHOP_LOG=info,order_service=debug
        if let Ok(filter) = std::env::var("SHOP_LOG") {
            let _ = tracing_subscriber::fmt().with_env_filter(filter).try_init();
        }
        let fakes = Fakes::start().await;
        let redis = testkit::redis().await;
        let nowhere = Channel::from_static("http://127.0.0.1:1").connect_lazy();
        let mut shop = Shop {
            orders: OrderServiceClient::new(nowhere.clone()),
            admin: OrderAdminServiceClient::new(nowhere),
            fakes,
            store,
            redis,
            saga,
            metrics: NEVER,
            service: None,
        };
        for sku in ["pen", "mug"] {
            shop.fakes.stock.item(sku, 1000, Some((250, "GBP")));
        }
        shop.start().await;
        shop
    }

    pub fn settings(&self) -> Settings {
        let any = "127.0.0.1:0".parse().unwrap();
        let peer = |address: SocketAddr| PeerSettings {
            timeout_ms: 1_000,
            ..PeerSettings::at(format!("http://{address}"))
        };
        Settings {
            server: ServerSettings::at(any, "a secret of the tests".into()),
            http: HttpSettings::at(any),
            connections: listener::Limits::default(),
            tls: None,
            limits: limits::Settings::default(),
            database: self.store.settings.clone(),
            redis: redis_connection::Settings::new(self.redis.url.as_str()),
            inventory: peer(self.fakes.inventory),
            payment: peer(self.fakes.payment),
            saga: self.saga.clone(),
            features: Features::default(),
            metrics: self.metrics,
        }
    }

    pub async fn start(&mut self) {
        let service = Service::start(self.settings()).await;
        (self.orders, self.admin) = clients(service.address);
        self.service = Some(service);
    }

    pub fn kill(&mut self) {
        self.service.take().unwrap().kill();
    }

    pub async fn stop(&mut self) {
        self.service.take().unwrap().stop().await;
    }

    pub async fn restart(&mut self) {
        self.kill();
        self.start().await;
    }

    pub async fn get(&self, id: &str) -> pb::Order {
        let request = pb::GetOrderRequest {
            order_id: id.to_owned(),
        };
        let mut orders = self.orders.clone();
        orders
            .get_order(request)
            .await
            .unwrap()
            .into_inner()
            .order
            .unwrap()
    }

    pub async fn saga_of(&self, id: &str) -> pb::Saga {
        let request = pb::GetSagaRequest {
            order_id: id.to_owned(),
        };
        let mut admin = self.admin.clone();
        admin
            .get_saga(request)
            .await
            .unwrap()
            .into_inner()
            .saga
            .unwrap()
    }

    /// Waits until the order stands like this and its saga rests.
    pub async fn rests_in(&self, id: &str, state: pb::OrderState) -> pb::Order {
        let began = Instant::now();
        loop {
            // In this order: the order is at least as new as the saga.
            let saga = self.saga_of(id).await;
            let order = self.get(id).await;
            if order.state() == state && saga.next_run_time.is_none() {
                return order;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "the order does not come to {state:?}: {order:?} {saga:?}"
            );
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    }

    /// Waits until the saga rests, wherever.
    pub async fn rests(&self, id: &str) -> pb::Order {
        let began = Instant::now();
        loop {
            let saga = self.saga_of(id).await;
            if saga.next_run_time.is_none() {
                return self.get(id).await;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "the saga does not rest: {saga:?}"
            );
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    }

    /// The only order there is or will be, also if nobody was told its id.
    pub async fn only_order(&self) -> pb::Order {
        let began = Instant::now();
        loop {
            let request = pb::ListOrdersRequest::default();
            let listed = self
                .orders
                .clone()
                .list_orders(request)
                .await
                .unwrap()
                .into_inner();
            assert!(listed.orders.len() <= 1, "one order");
            if let Some(order) = listed.orders.into_iter().next() {
                return order;
            }
            assert!(began.elapsed() < PATIENCE, "there is no order");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn create(&self, order: pb::CreateOrderRequest) -> Result<pb::Order, Status> {
        self.create_with_key(&fresh_key(), order).await
    }

    pub async fn create_with_key(
        &self,
        key: &str,
        order: pb::CreateOrderRequest,
    ) -> Result<pb::Order, Status> {
        let answer = self.orders.clone().create_order(keyed(key, order)).await?;
        Ok(answer.into_inner().order.unwrap())
    }

    /// An order that is confirmed and whose saga rests.
    pub async fn confirmed(&self, order: pb::CreateOrderRequest) -> pb::Order {
        let id = self.create(order).await.unwrap().id;
        self.rests_in(&id, pb::OrderState::Confirmed).await
    }

    pub async fn cancel(&self, id: &str) -> Result<pb::Order, Status> {
        let request = pb::CancelOrderRequest {
            order_id: id.to_owned(),
            reason: "changed my mind".to_owned(),
            etag: String::new(),
        };
        let answer = self
            .orders
            .clone()
            .cancel_order(keyed(&fresh_key(), request))
            .await?;
        Ok(answer.into_inner().order.unwrap())
    }

    pub async fn fulfil(&self, id: &str) -> Result<pb::CreateFulfillmentResponse, Status> {
        let request = pb::CreateFulfillmentRequest {
            order_id: id.to_owned(),
            ..Default::default()
        };
        let answer = self
            .orders
            .clone()
            .create_fulfillment(keyed(&fresh_key(), request))
            .await?;
        Ok(answer.into_inner())
    }

    pub async fn refund(
        &self,
        id: &str,
        minor: Option<i64>,
    ) -> Result<pb::RefundOrderResponse, Status> {
        let request = pb::RefundOrderRequest {
            order_id: id.to_owned(),
            amount: minor.map(gbp),
            reason: "sorry".to_owned(),
            etag: String::new(),
        };
        let answer = self
            .orders
            .clone()
            .refund_order(keyed(&fresh_key(), request))
            .await?;
        Ok(answer.into_inner())
    }

    pub async fn events(&self, id: &str) -> Vec<String> {
        let request = pb::GetOrderTimelineRequest {
            order_id: id.to_owned(),
        };
        let timeline = self
            .orders
            .clone()
            .get_order_timeline(request)
            .await
            .unwrap();
        let events = timeline.into_inner().events;
        for (at, event) in (1..).zip(&events) {
            assert_eq!(event.sequence, at, "events are numbered without a gap");
        }
        events.into_iter().map(|event| event.kind).collect()
    }

    /// Every invariant of orders holds.
    pub async fn audit(&self) {
        let answer = self
            .admin
            .clone()
            .run_audit(pb::RunAuditRequest {})
            .await
            .unwrap();
        let findings = answer.into_inner().findings;
        assert_eq!(findings.len(), 8);
        let broken: Vec<_> = findings.iter().filter(|one| one.violations != 0).collect();
        assert!(broken.is_empty(), "{broken:?}");
    }

    /// The books of all three agree that nothing is left of the order.
    pub fn holds_nothing(&self, id: &str) {
        let account = self.fakes.money.account(id);
        assert_eq!(account.promised, 0, "an authorization is left");
        assert_eq!(account.captured, account.refunded, "money is left");
        use api::inventory::v1::ReservationState as State;
        let state = self.fakes.stock.state(id);
        assert!(
            !matches!(
                state,
                Some(State::Held | State::Committed | State::Fulfilled)
            ),
            "stock is left: {state:?}"
        );
    }
}
