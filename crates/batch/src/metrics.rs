//! What is measured of batches, by verb.

use std::{sync::LazyLock, time::Duration};

use telemetry::metrics::{Histogram, KeyValue, SECONDS, histogram, observe};
use tokio::sync::mpsc::WeakSender;

static SIZE: LazyLock<Histogram> = LazyLock::new(|| {
    histogram(
        "batch.size",
        "{call}",
        "How many calls a batch did at once.",
        &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0],
    )
});
static DURATION: LazyLock<Histogram> =
    LazyLock::new(|| histogram("batch.duration", "s", "How long a batch took.", SECONDS));

/// To be called in the batch's span.
pub(crate) fn done(verb: &'static str, size: usize, after: Duration) {
    let labels = [KeyValue::new("batch.verb", verb)];
    SIZE.record(size as f64, &labels);
    DURATION.record(after.as_secs_f64(), &labels);
}

/// Looks at the queue for as long as there are callers.
pub(crate) fn watch<T: Send + 'static>(verb: &'static str, queue: WeakSender<T>) {
    let labels = [KeyValue::new("batch.verb", verb)];
    observe(
        "batch.queue.depth",
        "{call}",
        "How many calls wait for the next batch.",
        move |depth| {
            if let Some(queue) = queue.upgrade() {
                depth.set((queue.max_capacity() - queue.capacity()) as f64, &labels);
            }
        },
    );
}
