//! Builds the service and runs its parts, in a process of its own or inside a
//! test.

use std::net::SocketAddr;
use std::time::Duration;

use database::Database;
use edge::Serving;
use health::Health;
use listener::tls::Files;
use redis_connection::Redis;
use rpc::{Pages, Tasks};
use sqlx::migrate::Migrator;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::App;
use crate::grpc::{Api, SERVICES};
use crate::peers::Peers;
use crate::settings::Settings;
use crate::{store, worker};

/// Everything that the schema of this service consists of.
pub const MIGRATORS: [&Migrator; 4] = [
    &outbox::MIGRATOR,
    &idempotency::MIGRATOR,
    &audit::MIGRATOR,
    &store::MIGRATOR,
];

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Database(#[from] database::Error),
    #[error(transparent)]
    Peer(#[from] rpc::Error),
    #[error(transparent)]
    Tls(#[from] listener::tls::Error),
    #[error(transparent)]
    Edge(#[from] edge::Error),
}

/// What the surroundings lend.
#[derive(Debug, Clone)]
pub struct Surroundings {
    pub health: Health,
    /// Servers stop accepting and workers stop claiming; what has begun goes on.
    pub shutdown: CancellationToken,
    /// Work that must be finished before the end.
    pub tracker: TaskTracker,
    pub drain_deadline: Duration,
    /// Who callers are.
    pub auth: auth::Settings,
}

/// The service, listening.
pub struct Running {
    grpc_addr: SocketAddr,
    http_addr: SocketAddr,
    limits: limits::Limits,
    app: App,
    peers: Peers,
    db: Database,
    redis: Redis,
    around: Surroundings,
    /// Sagas have ended: their claims need not be kept any more.
    drained: CancellationToken,
    server: tokio::task::JoinHandle<Result<(), edge::Error>>,
}

/// Starts everything; returns when the port is held.
pub async fn start(settings: Settings, around: Surroundings) -> Result<Running, StartError> {
    let db = Database::connect(&settings.database, "order-service").await?;
    for setting in database::durability_warnings(&db).await.unwrap_or_default() {
        tracing::warn!(
            setting,
            "is off: the database may lose what it acknowledged"
        );
    }
    let tls = settings.tls.as_ref().map(Files::start).transpose()?;
    let redis = Redis::new(settings.redis.clone());
    let edge = settings.edge(&around.auth, &redis, tls.as_ref());
    let edge = edge::bind(edge, SERVICES).await?;
    let connector = tls.map(|files| files.connector()).transpose()?;
    let peers = Peers::connect(&settings.peers(connector))?;
    let relay = outbox::Relay::new(db.clone(), redis.clone());
    let app = App::new(
        db.clone(),
        peers.clone(),
        settings.patience(),
        relay.wake_handle(),
        around.tracker.clone(),
    );
    app.accept_orders(settings.features.accept_orders);
    probe(&around.health, &db);
    let drained = CancellationToken::new();
    // Events are published until the last saga has ended.
    tokio::spawn(relay.run(drained.clone()));
    work(&settings, &app, &db, &redis, &around, &drained);
    let api = Api {
        app: app.clone(),
        tasks: Tasks::new(around.tracker.clone()),
        pages: Pages::new(&settings.server.page_token_secret),
        shutdown: around.shutdown.clone(),
    };
    let mut routes = api.routes();
    routes.add_service(around.health.grpc_service(SERVICES));
    let (grpc_addr, http_addr, limits) = (edge.grpc_addr(), edge.http_addr(), edge.limits());
    let stop = around.shutdown.clone();
    let serving = Serving::new(routes.routes(), stop, around.drain_deadline);
    let server = tokio::spawn(edge.serve(serving));
    tracing::info!(listen.grpc = %grpc_addr, listen.http = %http_addr, "listening");
    Ok(Running {
        grpc_addr,
        http_addr,
        limits,
        app,
        peers,
        db,
        redis,
        around,
        drained,
        server,
    })
}

fn probe(health: &Health, db: &Database) {
    let db = db.clone();
    health.probe("database", move || {
        let db = db.clone();
        async move {
            match database::schema_is_current(&db, &MIGRATORS).await {
                Ok(true) => Ok(()),
                Ok(false) => Err("the schema is not current: run `migrate`".to_owned()),
                Err(error) => Err(error.to_string()),
            }
        }
    });
}

fn work(
    settings: &Settings,
    app: &App,
    db: &Database,
    redis: &Redis,
    around: &Surroundings,
    drained: &CancellationToken,
) {
    let stop = || around.shutdown.clone();
    let name = format!("order-service-{}", uuid::Uuid::now_v7());
    let lease = settings.patience().lease;
    // Leases are kept until the last saga has ended.
    tokio::spawn(worker::renew_claims(app.clone(), lease, drained.clone()));
    // Nothing of it must be finished before the end.
    tokio::spawn(worker::gauges(
        app.clone(),
        db.clone(),
        settings.metrics,
        stop(),
    ));
    let tracker = &around.tracker;
    tracker.spawn(worker::run_due_sagas(app.clone(), stop()));
    tracker.spawn(worker::prune(db.clone(), stop()));
    tracker.spawn(worker::payment_events(
        app.clone(),
        db.clone(),
        redis.clone(),
        name.clone(),
        stop(),
    ));
    tracker.spawn(worker::inventory_events(
        app.clone(),
        db.clone(),
        redis.clone(),
        name,
        stop(),
    ));
}

/// Brings changed settings to the parts that can take them.
#[derive(Clone)]
pub struct Follower {
    limits: limits::Limits,
    peers: Peers,
    app: App,
    db: Database,
    redis: Redis,
}

impl Follower {
    pub fn apply(&self, settings: &Settings) {
        self.app.accept_orders(settings.features.accept_orders);
        self.limits.reload(settings.limits.clone());
        self.redis.set(settings.redis.clone());
        if let Err(error) = self.peers.show(&settings.inventory, &settings.payment) {
            tracing::error!(%error, "the old token stays");
        }
        if let Err(error) = self.db.rotate(&settings.database) {
            tracing::error!(%error, "database.url cannot be used, the old one stays");
        }
    }
}

impl Running {
    pub fn follower(&self) -> Follower {
        Follower {
            limits: self.limits.clone(),
            peers: self.peers.clone(),
            app: self.app.clone(),
            db: self.db.clone(),
            redis: self.redis.clone(),
        }
    }

    pub fn grpc_addr(&self) -> SocketAddr {
        self.grpc_addr
    }

    pub fn http_addr(&self) -> SocketAddr {
        self.http_addr
    }

    pub fn app(&self) -> &App {
        &self.app
    }

    /// Waits for the shutdown and for the work that has begun, then gives back
    /// what is left.
    pub async fn ended(mut self) -> Result<(), StartError> {
        let mut served = tokio::select! {
            served = &mut self.server => Some(served),
            () = self.around.shutdown.cancelled() => None,
        };
        let cut_off = Instant::now() + self.around.drain_deadline;
        if served.is_none() {
            self.around.tracker.close();
            // The last requests begin the last sagas.
            let all = async {
                served = Some((&mut self.server).await);
                self.around.tracker.wait().await;
            };
            if tokio::time::timeout_at(cut_off, all).await.is_err() {
                match self.app.running_sagas() {
                    0 => tracing::warn!("clients held on until the end of the drain"),
                    left => {
                        tracing::warn!(left, "sagas are cut off; whoever claims them next goes on");
                    }
                }
            }
        }
        let released = self.app.release_claims();
        if let Err(error) = failpoint::around!("order.lease", "release", released.await) {
            tracing::warn!(%error, "cannot give claims back; they run out by themselves");
        }
        self.drained.cancel();
        let served = match served {
            Some(served) => served,
            None => self.server.await,
        };
        // A connection that is stuck must not hold up the end.
        let _ = tokio::time::timeout(Duration::from_secs(1), self.db.close()).await;
        served.unwrap_or(Ok(())).map_err(Into::into)
    }
}
