//! A whole service in little: what `main` of a real one looks like, and what
//! the tests of this crate run.

use std::{process::ExitCode, time::Duration};

use process::{Process, Reloads, Spec};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// How long the one piece of work takes that it does before it ends.
    work_ms: u64,
    /// What to do wrong, for the tests.
    #[serde(default)]
    fault: Fault,
    /// What it says when it is changed.
    #[schemars(extend("x-reload" = true))]
    #[serde(default)]
    features: Features,
    /// Is never shown.
    #[schemars(with = "Option<String>", extend("x-reload" = true))]
    #[serde(default)]
    password: Option<SecretString>,
}

#[derive(Deserialize, Default, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Features {
    /// Said aloud.
    greeting: String,
}

#[derive(Deserialize, Default, PartialEq, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Fault {
    #[default]
    None,
    PartPanics,
    NeverEnds,
    CannotStart,
}

fn main() -> ExitCode {
    let spec = Spec {
        name: "small-service",
        version: env!("CARGO_PKG_VERSION"),
        about: "Works a little when it is told to stop",
    };
    process::run(spec, migrate, serve)
}

async fn migrate(_: Settings) -> anyhow::Result<()> {
    tracing::info!("migrated");
    Ok(())
}

async fn serve(
    process: Process,
    settings: Settings,
    reloads: Reloads<Settings>,
) -> anyhow::Result<()> {
    reloads.follow(|settings| {
        let password = settings.password.as_ref();
        let length = password.map_or(0, |password| password.expose_secret().len());
        tracing::info!(greeting = settings.features.greeting, length, "taken over");
    });
    let work = Duration::from_millis(settings.work_ms);
    let shutdown = process.shutdown.clone();
    match settings.fault {
        Fault::CannotStart => anyhow::bail!("the database is gone"),
        Fault::NeverEnds => std::future::pending().await,
        Fault::PartPanics => process.spawn("fragile", async { broken().await }),
        Fault::None => process.spawn("server", async move {
            shutdown.cancelled().await;
            tokio::time::sleep(work).await;
            tracing::info!("work is done");
            anyhow::Ok(())
        }),
    }
    process.started();
    process.drained().await;
    tracing::info!("cleaned up");
    Ok(())
}

#[expect(clippy::panic, reason = "the fault to show")]
async fn broken() -> anyhow::Result<()> {
    tokio::time::sleep(Duration::from_millis(100)).await;
    panic!("a bug")
}
