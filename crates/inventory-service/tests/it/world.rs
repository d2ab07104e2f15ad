//! Replicas of the service in this process, on one fresh database, and the
//! words in which tests speak to them.

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use api::inventory::v1::{
    self as pb, inventory_admin_service_client::InventoryAdminServiceClient,
    inventory_service_client::InventoryServiceClient,
};
use health::Health;
use inventory_service::{Holds, MIGRATORS, Settings, Surroundings, Watch, app::App, start};
use rpc::{Reason, Remote};
use sqlx::AssertSqlSafe;
use testkit::TestDatabase;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::{Request, Status};
use types::OrderId;
use uuid::Uuid;

pub type Client = InventoryServiceClient<rpc::Channel>;

pub struct World {
    pub test: TestDatabase,
    clients: Vec<Client>,
    pub app: App,
    next: AtomicUsize,
    pub shutdown: CancellationToken,
    pub health: Health,
    pub addresses: Vec<std::net::SocketAddr>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// What a test may want otherwise than usual.
pub struct Plan {
    pub replicas: usize,
    pub sweep_interval_ms: u64,
    pub heartbeat_interval_ms: u64,
    pub redis_url: String,
    pub metrics: gauges::Settings,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            replicas: 1,
            // Never, so that tests decide when holds are swept.
            sweep_interval_ms: 3_600_000,
            heartbeat_interval_ms: 5_000,
            // Nobody listens there: the service must not mind.
            redis_url: "redis://127.0.0.1:1".to_owned(),
            metrics: gauges::Settings::default(),
        }
    }
}

/// Calls a method under a key; gives the whole response, trailers included.
macro_rules! call {
    ($client:expr, $method:ident, $key:expr, $message:expr) => {{
        let mut client: $crate::world::Client = $client;
        client.$method($crate::world::keyed($message, $key)).await
    }};
}
pub(crate) use call;

pub fn keyed<M>(message: M, key: &str) -> Request<M> {
    let mut request = Request::new(message);
    if !key.is_empty() {
        request
            .metadata_mut()
            .insert("idempotency-key", key.parse().unwrap());
    }
    request
}

pub fn fresh_key() -> String {
    Uuid::now_v7().to_string()
}

pub fn order() -> String {
    OrderId::generate().to_string()
}

pub fn lines(lines: &[(&str, i64)]) -> Vec<pb::StockLine> {
    let line = |(sku, quantity): &(&str, i64)| pb::StockLine {
        sku: (*sku).to_owned(),
        quantity: *quantity,
    };
    lines.iter().map(line).collect()
}

pub fn wish(order: &str, wanted: &[(&str, i64)]) -> pb::ReserveRequest {
    pb::ReserveRequest {
        order_id: order.to_owned(),
        lines: lines(wanted),
        ttl: None,
        allow_partial: false,
        strategy: 0,
    }
}

#[track_caller]
pub fn reason(status: &Status) -> Reason {
    let reason = Remote::from(status).reason;
    reason.unwrap_or_else(|| panic!("a reason, not {status:?}"))
}

#[track_caller]
pub fn refused<T: std::fmt::Debug>(result: Result<T, Status>) -> Reason {
    reason(&result.expect_err("a refusal"))
}

impl World {
    pub async fn new() -> Self {
        Self::of(Plan::default()).await
    }

    pub async fn of(plan: Plan) -> Self {
        let test = testkit::database(&MIGRATORS).await;
        let shutdown = CancellationToken::new();
        let health = Health::new();
        let (mut clients, mut addresses, mut app) = (Vec::new(), Vec::new(), None);
        for _ in 0..plan.replicas {
            let around = Surroundings {
                health: health.clone(),
                shutdown: shutdown.clone(),
                tracker: TaskTracker::new(),
                drain_deadline: Duration::from_secs(5),
                auth: auth::Settings::none(),
            };
            let replica = start(settings(&test, &plan), &around).await.unwrap();
            for part in replica.parts {
                tokio::spawn(async move { part.work.await.unwrap() });
            }
            app = Some(replica.app);
            addresses.push(replica.grpc_addr);
            let peer = rpc::PeerSettings::at(format!("http://{}", replica.grpc_addr));
            clients.push(Client::new(rpc::connect(&peer, None).unwrap()));
        }
        Self {
            test,
            clients,
            app: app.unwrap(),
            next: AtomicUsize::new(0),
            shutdown,
            health,
            addresses,
        }
    }

    /// Of the replicas in turn.
    pub fn client(&self) -> Client {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        self.clients[next % self.clients.len()].clone()
    }

    pub async fn sql(&self, sql: impl Into<String>) {
        let mut conn = self.test.db.acquire().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.into()))
            .execute(&mut *conn)
            .await
            .unwrap();
    }

    pub async fn count(&self, sql: impl Into<String>) -> i64 {
        let mut conn = self.test.db.acquire().await.unwrap();
        sqlx::query_scalar(AssertSqlSafe(sql.into()))
            .fetch_one(&mut *conn)
            .await
            .unwrap()
    }

    pub async fn item(&self, item: pb::Item) -> pb::Item {
        let message = pb::UpsertItemRequest { item: Some(item) };
        let stored = call!(self.client(), upsert_item, &fresh_key(), message).unwrap();
        stored.into_inner().item.unwrap()
    }

    /// A plain item at 9.99 GBP with units at `main`.
    pub async fn stocked(&self, sku: &str, on_hand: i64) {
        self.item(item(sku)).await;
        self.set("main", sku, on_hand).await;
    }

    pub async fn location(&self, id: &str, priority: i32) {
        let location = pb::Location {
            id: id.to_owned(),
            name: id.to_owned(),
            priority,
            etag: String::new(),
        };
        let message = pb::UpsertLocationRequest {
            location: Some(location),
        };
        call!(self.client(), upsert_location, &fresh_key(), message).unwrap();
    }

    pub async fn set(&self, location: &str, sku: &str, on_hand: i64) -> pb::StockLevel {
        let message = pb::SetStockRequest {
            sku: sku.to_owned(),
            location_id: location.to_owned(),
            on_hand,
            reason: "count".to_owned(),
            ..Default::default()
        };
        let set = call!(self.client(), set_stock, &fresh_key(), message).unwrap();
        set.into_inner().level.unwrap()
    }

    pub async fn adjust(
        &self,
        sku: &str,
        delta: i64,
        force: bool,
    ) -> Result<pb::AdjustStockResponse, Status> {
        let message = pb::AdjustStockRequest {
            sku: sku.to_owned(),
            delta,
            force,
            reason: "broken".to_owned(),
            ..Default::default()
        };
        let adjusted = call!(self.client(), adjust_stock, &fresh_key(), message)?;
        Ok(adjusted.into_inner())
    }

    pub async fn ask(&self, wish: pb::ReserveRequest) -> Result<pb::Reservation, Status> {
        let reserved = call!(self.client(), reserve, &fresh_key(), wish)?;
        Ok(reserved.into_inner().reservation.unwrap())
    }

    pub async fn reserve(
        &self,
        order: &str,
        wanted: &[(&str, i64)],
    ) -> Result<pb::Reservation, Status> {
        self.ask(wish(order, wanted)).await
    }

    pub async fn commit(&self, order: &str) -> Result<pb::Reservation, Status> {
        let message = pb::CommitRequest {
            order_id: order.to_owned(),
        };
        let committed = call!(self.client(), commit, &fresh_key(), message)?;
        Ok(committed.into_inner().reservation.unwrap())
    }

    /// An order whose stock is promised.
    pub async fn committed(&self, wanted: &[(&str, i64)]) -> String {
        let order = order();
        self.reserve(&order, wanted).await.unwrap();
        self.commit(&order).await.unwrap();
        order
    }

    pub async fn release(&self, order: &str) -> Result<pb::Reservation, Status> {
        let message = pb::ReleaseRequest {
            order_id: order.to_owned(),
            reason: "test".to_owned(),
        };
        let released = call!(self.client(), release, &fresh_key(), message)?;
        Ok(released.into_inner().reservation.unwrap())
    }

    pub async fn fulfill(
        &self,
        order: &str,
        id: &str,
        wanted: &[(&str, i64)],
    ) -> Result<pb::Reservation, Status> {
        let message = pb::FulfillRequest {
            order_id: order.to_owned(),
            fulfillment_id: id.to_owned(),
            lines: lines(wanted),
        };
        let fulfilled = call!(self.client(), fulfill, &fresh_key(), message)?;
        Ok(fulfilled.into_inner().reservation.unwrap())
    }

    pub async fn take_back(
        &self,
        order: &str,
        id: &str,
        back: &[(&str, i64)],
        location: &str,
    ) -> Result<pb::Reservation, Status> {
        let message = pb::ReturnToStockRequest {
            order_id: order.to_owned(),
            return_id: id.to_owned(),
            lines: lines(back),
            location_id: location.to_owned(),
        };
        let returned = call!(self.client(), return_to_stock, &fresh_key(), message)?;
        Ok(returned.into_inner().reservation.unwrap())
    }

    pub async fn reservation(&self, order: &str) -> Result<pb::Reservation, Status> {
        let message = pb::GetReservationRequest {
            order_id: order.to_owned(),
        };
        let found = self.client().get_reservation(message).await?;
        Ok(found.into_inner().reservation.unwrap())
    }

    pub async fn state(&self, order: &str) -> pb::ReservationState {
        self.reservation(order).await.unwrap().state()
    }

    pub async fn levels(&self, sku: &str) -> Vec<pb::StockLevel> {
        let sku = sku.to_owned();
        let found = self.client().get_stock(pb::GetStockRequest { sku }).await;
        found.unwrap().into_inner().levels
    }

    /// (on hand, held, committed) over all locations.
    pub async fn counts(&self, sku: &str) -> (i64, i64, i64) {
        let levels = self.levels(sku).await;
        levels.iter().fold((0, 0, 0), |sums, level| {
            (
                sums.0 + level.on_hand,
                sums.1 + level.held,
                sums.2 + level.committed,
            )
        })
    }

    pub async fn make_overdue(&self, order: &str) {
        self.sql(format!(
            "update reservations set expires_at = now() - interval '1 second' \
             where order_id = '{order}'"
        ))
        .await;
    }

    /// What breaks an invariant, which is nothing.
    pub async fn violations(&self) -> Vec<String> {
        let address = format!("http://{}", self.addresses[0]);
        let mut admin = InventoryAdminServiceClient::connect(address).await.unwrap();
        let audit = admin.run_audit(pb::RunAuditRequest {}).await.unwrap();
        let findings = audit.into_inner().findings;
        assert_eq!(findings.len(), 8, "S1 to S6, O6, O8");
        let broken = findings.iter().filter(|finding| finding.violations != 0);
        broken
            .map(|finding| format!("{}: {:?}", finding.invariant, finding.samples))
            .collect()
    }

    pub async fn assert_sound(&self) {
        assert_eq!(self.violations().await, Vec::<String>::new());
    }
}

pub fn item(sku: &str) -> pb::Item {
    pb::Item {
        sku: sku.to_owned(),
        title: format!("the {sku}"),
        list_price: Some(api::common::v1::Money {
            minor_units: 999,
            currency_code: "GBP".to_owned(),
        }),
        stock_tracked: None,
        backorder_limit: 0,
        etag: String::new(),
    }
}

fn settings(test: &TestDatabase, plan: &Plan) -> Settings {
    let listen = (Ipv4Addr::LOCALHOST, 0).into();
    let redis = format!(r#"{{"url": "{}"}}"#, plan.redis_url);
    Settings {
        server: edge::ServerSettings {
            // Many at once on a slow machine: nobody is turned away here.
            max_queueing_ms: 60_000,
            ..edge::ServerSettings::at(listen, "a secret".into())
        },
        http: edge::HttpSettings::at(listen),
        connections: listener::Limits::default(),
        tls: None,
        limits: limits::Settings::default(),
        database: test.settings.clone(),
        redis: serde_json::from_str(&redis).unwrap(),
        holds: Holds {
            sweep_interval_ms: plan.sweep_interval_ms,
            ..Default::default()
        },
        watch: Watch {
            heartbeat_interval_ms: plan.heartbeat_interval_ms,
            ..Default::default()
        },
        metrics: plan.metrics,
    }
}
