//! SIGTERM and SIGINT: the first asks to stop, the second stops.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancels `stop` at the first signal; ends the process at the second, with
/// the code that a shell would show for it.
pub(crate) fn listen(stop: CancellationToken) -> std::io::Result<()> {
    let terminate = signal(SignalKind::terminate())?;
    let interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(obey(terminate, interrupt, stop));
    Ok(())
}

async fn obey(mut terminate: Signal, mut interrupt: Signal, stop: CancellationToken) {
    let first = next(&mut terminate, &mut interrupt).await;
    tracing::info!(signal = first.0, "stopping");
    stop.cancel();
    let second = next(&mut terminate, &mut interrupt).await;
    tracing::warn!(signal = second.0, "a second signal: ending at once");
    std::process::exit(second.1);
}

async fn next(terminate: &mut Signal, interrupt: &mut Signal) -> (&'static str, i32) {
    tokio::select! {
        _ = terminate.recv() => ("SIGTERM", 143),
        _ = interrupt.recv() => ("SIGINT", 130),
    }
}
