//! Orders: accepted, brought to their end by a durable saga, fulfilled,
//! returned, refunded, watched. Stock and money are the business of two other
//! services, which this one asks over their public API.
//!
//! `grpc` and `worker` call `app`; `app` owns transactions and calls `store`
//! and `peers`; all of them speak in the words of `domain`.

pub mod app;
pub mod domain;
mod grpc;
mod metrics;
mod parts;
pub mod peers;
mod settings;
mod start;
pub mod store;
mod wire;
mod worker;

#[doc(hidden)]
pub use grpc::every_request;
pub use settings::{Features, SagaSettings, Settings};
pub use start::{MIGRATORS, Running, StartError, Surroundings, start};

/// Serves until the process is asked to stop.
pub async fn serve(
    process: process::Process,
    settings: Settings,
    reloads: process::Reloads<Settings>,
) -> Result<(), StartError> {
    let around = Surroundings {
        health: process.health.clone(),
        shutdown: process.shutdown.clone(),
        tracker: process.tracker.clone(),
        drain_deadline: process.drain_deadline,
        auth: process.settings.auth.clone(),
    };
    let running = start(settings, around).await?;
    let follower = running.follower();
    reloads.follow(move |settings| follower.apply(settings));
    process.started();
    running.ended().await
}

/// Brings the schema up to date.
pub async fn migrate(settings: Settings) -> database::Result<()> {
    database::migrate(&settings.database, &MIGRATORS)
        .await
        .map(drop)
}
