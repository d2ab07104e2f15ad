//! Puts the service together, in the process and in tests.

use std::net::SocketAddr;
use std::time::Duration;

use api::payment::v1::payment_admin_service_server::PaymentAdminServiceServer;
use api::payment::v1::payment_service_server::PaymentServiceServer;
use database::Database;
use edge::Serving;
use futures::future::BoxFuture;
use health::Health;
use limits::Limits;
use listener::tls::Files;
use outbox::Relay;
use process::{BoxError, Process, Reloads};
use redis_connection::Redis;
use rpc::{Pages, Tasks};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;

use crate::app::App;
use crate::grpc::{Admin, Service};
use crate::provider::Stripe;
use crate::{MIGRATORS, Settings, http, worker};

const NAME: &str = "payment-service";
const SERVICES: &[&str] = &[
    "cartwright.payment.v1.PaymentService",
    "cartwright.payment.v1.PaymentAdminService",
];
const SCHEMA_POLL: Duration = Duration::from_millis(500);

/// What the service runs in.
#[derive(Debug, Clone)]
pub struct Around {
    pub health: Health,
    /// Stop accepting, stop claiming.
    pub shutdown: CancellationToken,
    /// Work that must be finished before the process ends.
    pub tracker: TaskTracker,
    pub drain: Duration,
    /// Who callers are.
    pub auth: auth::Settings,
}

/// Something to be run until `shutdown`, with its name.
pub type Part = (&'static str, BoxFuture<'static, Result<(), BoxError>>);

/// A service that holds its ports; it works once its parts are run.
pub struct Running {
    pub grpc: SocketAddr,
    /// REST and webhooks.
    pub http: SocketAddr,
    pub limits: Limits,
    pub app: App,
    pub database: Database,
    pub redis: Redis,
    pub parts: Vec<Part>,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Database(#[from] database::Error),
    #[error(transparent)]
    Tls(#[from] listener::tls::Error),
    #[error(transparent)]
    Edge(#[from] edge::Error),
    #[error("provider: {0}")]
    Provider(#[from] reqwest::Error),
    #[error("provider.webhook_secrets: expected one or two secrets, got none")]
    NoWebhookSecret,
    #[error("asked to stop before the start was over")]
    Stopped,
}

/// Brings the schema up to date.
pub async fn migrate(settings: Settings) -> Result<(), database::Error> {
    database::migrate(&settings.database, &MIGRATORS).await?;
    Ok(())
}

/// The serving function of the process.
pub async fn serve(
    process: Process,
    settings: Settings,
    reloads: Reloads<Settings>,
) -> Result<(), StartError> {
    let around = Around {
        health: process.health.clone(),
        shutdown: process.shutdown.clone(),
        tracker: process.tracker.clone(),
        drain: process.drain_deadline,
        auth: process.settings.auth.clone(),
    };
    let running = start(&settings, &around).await?;
    let (database, redis) = (running.database.clone(), running.redis.clone());
    let limits = running.limits.clone();
    reloads.follow(move |settings| {
        limits.reload(settings.limits.clone());
        if let Err(error) = database.rotate(&settings.database) {
            tracing::error!(%error, "database.url cannot be used, the old one stays");
        }
        redis.set(settings.redis.clone());
    });
    tracing::info!(listen.grpc = %running.grpc, listen.http = %running.http, "listening");
    for (name, part) in running.parts {
        process.spawn(name, part);
    }
    process.started();
    process.drained().await;
    running.database.close().await;
    Ok(())
}

/// Takes the ports and builds everything; waits until the schema is current.
pub async fn start(settings: &Settings, around: &Around) -> Result<Running, StartError> {
    if settings.provider.webhook_secrets.is_empty() {
        return Err(StartError::NoWebhookSecret);
    }
    let tls = settings.tls.as_ref().map(Files::start).transpose()?;
    let redis = Redis::new(settings.redis.clone());
    let edge = settings.edge(&around.auth, &redis, tls.as_ref());
    let edge = edge::bind(edge, SERVICES).await?;
    let db = Database::connect(&settings.database, NAME).await?;
    probe(&around.health, &db);
    await_schema(&db, &around.shutdown).await?;

    let relay = Relay::new(db.clone(), redis.clone());
    let provider = Stripe::new(&settings.provider)?;
    let wake = relay.wake_handle();
    let app = App::new(db.clone(), provider, settings.checks.clone(), wake);
    let (grpc, http, limits) = (edge.grpc_addr(), edge.http_addr(), edge.limits());
    let parts = vec![
        serve_apis(edge, &app, settings, around),
        reconcile(&app, around),
        relay_events(relay, around),
        keep_house(&db, around),
        read_gauges(&app, settings, around),
    ];
    Ok(Running {
        grpc,
        http,
        limits,
        app,
        database: db,
        redis,
        parts,
    })
}

fn probe(health: &Health, db: &Database) {
    let pinged = db.clone();
    health.probe("database", move || {
        let db = pinged.clone();
        async move { db.ping().await }
    });
    let migrated = db.clone();
    health.probe("schema", move || {
        let db = migrated.clone();
        async move {
            match database::schema_is_current(&db, &MIGRATORS).await {
                Ok(true) => Ok(()),
                Ok(false) => Err("migrations are missing: run `migrate`".to_owned()),
                Err(error) => Err(error.to_string()),
            }
        }
    });
}

async fn await_schema(db: &Database, shutdown: &CancellationToken) -> Result<(), StartError> {
    let mut has_told = false;
    loop {
        let why = match database::schema_is_current(db, &MIGRATORS).await {
            Ok(true) => break,
            Ok(false) => "migrations are missing".to_owned(),
            Err(error) => error.to_string(),
        };
        if !has_told {
            tracing::warn!(error = why, "waiting for the database");
            has_told = true;
        }
        tokio::select! {
            () = shutdown.cancelled() => return Err(StartError::Stopped),
            () = tokio::time::sleep(SCHEMA_POLL) => {}
        }
    }
    for setting in database::durability_warnings(db).await? {
        tracing::warn!(setting, "is off: an acknowledged write can be lost");
    }
    Ok(())
}

fn serve_apis(edge: edge::Bound, app: &App, settings: &Settings, around: &Around) -> Part {
    let tasks = Tasks::new(around.tracker.clone());
    let pages = Pages::new(&settings.server.page_token_secret);
    let service = Service::new(app.clone(), tasks.clone(), pages.clone());
    let admin = Admin::new(app.clone(), tasks, pages);
    let routes = Routes::new(PaymentServiceServer::new(service))
        .add_service(PaymentAdminServiceServer::new(admin))
        .add_service(around.health.grpc_service(SERVICES));
    let webhooks = http::router(app.clone(), settings.provider.webhook_secrets.clone());
    let serving = Serving::new(routes, around.shutdown.clone(), around.drain);
    let serving = serving.with_pages(http::ROUTE, webhooks);
    let part = async move { Ok(edge.serve(serving).await?) };
    ("gRPC and HTTP", Box::pin(part))
}

fn reconcile(app: &App, around: &Around) -> Part {
    let (app, tracker) = (app.clone(), around.tracker.clone());
    let shutdown = around.shutdown.clone();
    let part = async move { Ok(worker::reconcile(app, tracker, shutdown).await?) };
    ("reconciler", Box::pin(part))
}

fn relay_events(relay: Relay, around: &Around) -> Part {
    let shutdown = around.shutdown.clone();
    let part = async move {
        relay.run(shutdown).await;
        Ok(())
    };
    ("outbox relay", Box::pin(part))
}

fn keep_house(db: &Database, around: &Around) -> Part {
    let (db, shutdown) = (db.clone(), around.shutdown.clone());
    let part = async move { Ok(worker::keep_house(db, shutdown).await?) };
    ("housekeeping", Box::pin(part))
}

fn read_gauges(app: &App, settings: &Settings, around: &Around) -> Part {
    let (app, shutdown) = (app.clone(), around.shutdown.clone());
    let every = settings.metrics;
    let part = async move { Ok(worker::gauges(app, every, shutdown).await?) };
    ("gauges", Box::pin(part))
}
