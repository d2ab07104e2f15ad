//! Building a replica, and running it as a process.

use std::{convert::Infallible, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use database::Database;
use edge::Serving;
use health::Health;
use limits::Limits;
use listener::tls::Files;
use process::{BoxError, Process, Reloads};
use redis_connection::Redis;
use rpc::{Pages, Tasks};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    MIGRATORS, Settings,
    app::{AfterCommit, App, Head},
    grpc::{self, Api, Watching},
    worker,
};

/// What a replica needs of the process around it.
#[derive(Debug, Clone)]
pub struct Surroundings {
    pub health: Health,
    /// Cancelled when the replica must stop accepting.
    pub shutdown: CancellationToken,
    /// Handlers that no hang-up may cancel.
    pub tracker: TaskTracker,
    pub drain_deadline: Duration,
    /// Who callers are.
    pub auth: auth::Settings,
}

/// A replica that is built and listens; it serves once its parts run.
pub struct Replica {
    pub grpc_addr: SocketAddr,
    pub http_addr: SocketAddr,
    pub limits: Limits,
    pub app: App,
    pub db: Database,
    pub redis: Redis,
    pub parts: Vec<Part>,
}

/// A server or a worker without which the replica is of no use.
pub struct Part {
    pub name: &'static str,
    /// Ends after `shutdown`.
    pub work: Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>,
}

/// Why a replica could not be built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("database: {0}")]
    Database(#[from] database::Error),
    #[error(transparent)]
    Tls(#[from] listener::tls::Error),
    #[error(transparent)]
    Edge(#[from] edge::Error),
}

/// Brings the schema up to date.
pub async fn migrate(settings: Settings) -> Result<(), Error> {
    let applied = database::migrate(&settings.database, &MIGRATORS).await?;
    tracing::info!(applied = applied.len(), "the schema is up to date");
    Ok(())
}

/// Serves until the process is told to stop.
pub async fn serve(
    process: Process,
    settings: Settings,
    reloads: Reloads<Settings>,
) -> Result<(), Error> {
    let surroundings = Surroundings {
        health: process.health.clone(),
        shutdown: process.shutdown.clone(),
        tracker: process.tracker.clone(),
        drain_deadline: process.drain_deadline,
        auth: process.settings.auth.clone(),
    };
    let replica = start(settings, &surroundings).await?;
    let (db, redis) = (replica.db.clone(), replica.redis.clone());
    let limits = replica.limits.clone();
    reloads.follow(move |settings| {
        limits.reload(settings.limits.clone());
        if let Err(error) = db.rotate(&settings.database) {
            tracing::error!(%error, "database.url cannot be used, the old one stays");
        }
        redis.set(settings.redis.clone());
    });
    for part in replica.parts {
        process.spawn(part.name, part.work);
    }
    tracing::info!(listen.grpc = %replica.grpc_addr, listen.http = %replica.http_addr, "listening");
    process.started();
    process.drained().await;
    replica.db.close().await;
    Ok(())
}

pub async fn start(settings: Settings, around: &Surroundings) -> Result<Replica, Error> {
    let db = Database::connect(&settings.database, "inventory-service").await?;
    probe(&around.health, &db);
    warn_of_durability(&db).await;
    let redis = Redis::new(settings.redis.clone());
    let relay = outbox::Relay::new(db.clone(), redis.clone());
    let head = Head::default();
    let after_commit = AfterCommit {
        relay: relay.wake_handle(),
        head: head.clone(),
    };
    let app = App::new(db.clone(), after_commit);
    let tls = settings.tls.as_ref().map(Files::start).transpose()?;
    let edge = settings.edge(&around.auth, &redis, tls.as_ref());
    let edge = edge::bind(edge, grpc::SERVICES).await?;
    let (grpc_addr, http_addr, limits) = (edge.grpc_addr(), edge.http_addr(), edge.limits());
    let api = Api {
        app: app.clone(),
        tasks: Tasks::new(around.tracker.clone()),
        pages: Pages::new(&settings.server.page_token_secret),
        watching: Watching {
            heartbeat: settings.watch.heartbeat_interval(),
            places: Arc::new(Semaphore::new(settings.watch.streams_max as usize)),
            shutdown: around.shutdown.clone(),
        },
    };
    let routes = grpc::routes(api).add_service(around.health.grpc_service(grpc::SERVICES));
    let stop = around.shutdown.clone();
    let serving = Serving::new(routes, stop.clone(), around.drain_deadline);
    let poll = settings.watch.poll_interval();
    let parts = vec![
        part("edge", edge.serve(serving)),
        worker("relay", relay.run(stop.clone())),
        worker(
            "sweeper",
            worker::sweep_holds(app.clone(), settings.holds, stop.clone()),
        ),
        worker(
            "head",
            worker::follow_head(app.clone(), head, poll, stop.clone()),
        ),
        worker(
            "gauges",
            worker::gauges(app.clone(), db.clone(), settings.metrics, stop.clone()),
        ),
        worker("pruner", worker::prune_keys(app.clone(), stop)),
    ];
    Ok(Replica {
        grpc_addr,
        http_addr,
        limits,
        app,
        db,
        redis,
        parts,
    })
}

fn part<E: Into<BoxError>>(
    name: &'static str,
    work: impl Future<Output = Result<(), E>> + Send + 'static,
) -> Part {
    Part {
        name,
        work: Box::pin(async move { work.await.map_err(Into::into) }),
    }
}

fn worker(name: &'static str, work: impl Future<Output = ()> + Send + 'static) -> Part {
    part(name, async move {
        work.await;
        Ok::<(), Infallible>(())
    })
}

fn probe(health: &Health, db: &Database) {
    let pinged = db.clone();
    health.probe("postgres", move || {
        let db = pinged.clone();
        async move { db.ping().await.map_err(|_| "does not answer") }
    });
    let asked = db.clone();
    health.probe("schema", move || {
        let db = asked.clone();
        async move {
            match database::schema_is_current(&db, &MIGRATORS).await {
                Ok(true) => Ok(()),
                Ok(false) => Err("is older than this binary; run `migrate`"),
                Err(_) => Err("cannot be read"),
            }
        }
    });
}

async fn warn_of_durability(db: &Database) {
    match database::durability_warnings(db).await {
        Ok(off) if off.is_empty() => {}
        Ok(off) => {
            tracing::warn!(
                setting = off.join(", "),
                "off: acknowledged writes may be lost"
            );
        }
        Err(error) => tracing::warn!(%error, "the database does not answer yet"),
    }
}
