//! Building a replica, and running it as a process.

use std::{convert::Infallible, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use database::Database;
use health::Health;
use process::{BoxError, Process};
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
}

/// A replica that is built and listens; it serves once its parts run.
pub struct Replica {
    pub grpc_addr: SocketAddr,
    pub app: App,
    pub db: Database,
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
    #[error("server: {0}")]
    Server(#[from] rpc::Error),
}

/// Brings the schema up to date.
pub async fn migrate(settings: Settings) -> Result<(), Error> {
    let applied = database::migrate(&settings.database, &MIGRATORS).await?;
    tracing::info!(applied = applied.len(), "the schema is up to date");
    Ok(())
}

/// Serves until the process is told to stop.
pub async fn serve(process: Process, settings: Settings) -> Result<(), Error> {
    let surroundings = Surroundings {
        health: process.health.clone(),
        shutdown: process.shutdown.clone(),
        tracker: process.tracker.clone(),
        drain_deadline: process.drain_deadline,
    };
    let replica = start(settings, &surroundings).await?;
    for part in replica.parts {
        process.spawn(part.name, part.work);
    }
    tracing::info!(grpc_listen = %replica.grpc_addr, "listening");
    process.started();
    process.drained().await;
    replica.db.close().await;
    Ok(())
}

pub async fn start(settings: Settings, around: &Surroundings) -> Result<Replica, Error> {
    let db = Database::connect(&settings.database, "inventory-service").await?;
    probe(&around.health, &db);
    warn_of_durability(&db).await;
    let relay = outbox::Relay::new(db.clone(), settings.redis.clone());
    let head = Head::default();
    let after_commit = AfterCommit {
        relay: relay.wake_handle(),
        head: head.clone(),
    };
    let app = App::new(db.clone(), after_commit);
    let bound = rpc::bind(&settings.server).await?;
    let grpc_addr = bound.local_addr();
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
    let poll = settings.watch.poll_interval();
    let parts = vec![
        part(
            "grpc",
            bound.serve(routes, grpc::SERVICES, stop.clone(), around.drain_deadline),
        ),
        worker("relay", relay.run(stop.clone())),
        worker(
            "sweeper",
            worker::sweep_holds(app.clone(), settings.holds, stop.clone()),
        ),
        worker(
            "head",
            worker::follow_head(app.clone(), head, poll, stop.clone()),
        ),
        worker("pruner", worker::prune_keys(app.clone(), stop)),
    ];
    Ok(Replica {
        grpc_addr,
        app,
        db,
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
                settings = off.join(", "),
                "off: acknowledged writes may be lost"
            );
        }
        Err(error) => tracing::warn!(%error, "the database does not answer yet"),
    }
}
