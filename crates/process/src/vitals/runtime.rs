//! The runtime: is there work that waits, is there a thread that does not?

use telemetry::metrics;
use tokio::runtime::{Handle, RuntimeMetrics};

pub(super) fn observe(handle: &Handle) {
    let gauge = |name, unit, description, read: fn(&RuntimeMetrics) -> usize| {
        let runtime = handle.metrics();
        metrics::observe(name, unit, description, move |seen| {
            seen.set(read(&runtime) as f64, &[]);
        });
    };
    gauge(
        "tokio.workers",
        "{thread}",
        "Threads that run tasks.",
        RuntimeMetrics::num_workers,
    );
    gauge(
        "tokio.tasks.alive",
        "{task}",
        "Tasks that have not ended.",
        RuntimeMetrics::num_alive_tasks,
    );
    gauge(
        "tokio.queue.depth",
        "{task}",
        "Tasks that wait for any thread.",
        RuntimeMetrics::global_queue_depth,
    );
    let runtime = handle.metrics();
    metrics::observe_total(
        "tokio.busy.duration",
        "s",
        "Time that all threads together have spent in tasks.",
        move |seen| seen.set(busy_seconds(&runtime), &[]),
    );
    let runtime = handle.metrics();
    metrics::observe_total(
        "tokio.parks",
        "{park}",
        "How often a thread went to sleep for want of work.",
        move |seen| seen.set(parks(&runtime) as f64, &[]),
    );
}

fn busy_seconds(runtime: &RuntimeMetrics) -> f64 {
    let busy = |worker| runtime.worker_total_busy_duration(worker).as_secs_f64();
    (0..runtime.num_workers()).map(busy).sum()
}

fn parks(runtime: &RuntimeMetrics) -> u64 {
    let parks = |worker| runtime.worker_park_count(worker);
    (0..runtime.num_workers()).map(parks).sum()
}
