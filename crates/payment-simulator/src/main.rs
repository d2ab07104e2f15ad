//! The process around the simulator.

use std::convert::Infallible;
use std::process::ExitCode;

use payment_simulator::{Settings, Simulator, StartError};
use process::{Process, Reloads, Spec};

fn main() -> ExitCode {
    let spec = Spec {
        name: "payment-simulator",
        version: env!("CARGO_PKG_VERSION"),
        about: "A payment provider with Stripe's API and books of its own, for laptops and tests",
    };
    process::run(spec, migrate, serve)
}

/// The journal needs none.
async fn migrate(_: Settings) -> Result<(), Infallible> {
    Ok(())
}

/// Nothing of it changes while it runs.
async fn serve(
    process: Process,
    settings: Settings,
    _: Reloads<Settings>,
) -> Result<(), StartError> {
    let simulator = Simulator::start(&settings).await?;
    tracing::info!(
        address = %simulator.address(),
        books = %settings.books.directory.display(),
        webhooks = settings.webhooks.url.is_some(),
        "the simulator listens"
    );
    let broken = simulator.broken();
    process.started();
    tokio::select! {
        () = process.shutdown.cancelled() => {}
        () = broken.cancelled() => process.fail(),
    }
    process.shutdown.cancelled().await;
    simulator.stop(process.drain_deadline).await;
    process.drained().await;
    Ok(())
}
