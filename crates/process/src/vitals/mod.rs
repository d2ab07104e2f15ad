//! How the process itself is: its runtime, its memory, its files. Looked at when
//! somebody reads the metrics, never in between.

mod allocator;
mod runtime;
#[cfg(target_os = "linux")]
mod system;

use std::time::Instant;

use telemetry::metrics;
use tokio::runtime::Handle;

/// From now on, for the runtime that this is called on.
pub(crate) fn observe() {
    let began = Instant::now();
    metrics::observe(
        "process.uptime",
        "s",
        "Time since the start of this process.",
        move |seen| seen.set(began.elapsed().as_secs_f64(), &[]),
    );
    runtime::observe(&Handle::current());
    allocator::observe();
    #[cfg(target_os = "linux")]
    system::observe();
}
