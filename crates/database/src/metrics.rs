//! What is measured of statements, and of the wait for a connection.

use std::sync::LazyLock;
use std::time::Instant;

use telemetry::metrics::{Counter, Histogram, KeyValue, counter, histogram};

/// In seconds. Most statements take less than a millisecond.
const BOUNDS: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
];

pub(crate) static QUERIES: LazyLock<Histogram> = LazyLock::new(|| {
    histogram(
        "db.query.duration",
        "s",
        "How long a statement took, with its way to the database and back.",
        BOUNDS,
    )
});

static WAITS: LazyLock<Histogram> = LazyLock::new(|| {
    histogram(
        "db.pool.acquire.duration",
        "s",
        "How long work waited for a connection.",
        BOUNDS,
    )
});

static TIMEOUTS: LazyLock<Counter> = LazyLock::new(|| {
    counter(
        "db.pool.acquire.timeouts",
        "{timeout}",
        "How often no connection was free in time.",
    )
});

pub(crate) fn namespace(name: &str) -> KeyValue {
    KeyValue::new("db.namespace", name.to_owned())
}

/// A wait for a connection; it is measured when it ends, also where the one who
/// waits has gone.
pub(crate) struct Wait<'a> {
    labels: &'a [KeyValue],
    started: Instant,
}

impl<'a> Wait<'a> {
    pub(crate) fn begin(namespace: &'a KeyValue) -> Self {
        Self {
            labels: std::slice::from_ref(namespace),
            started: Instant::now(),
        }
    }

    pub(crate) fn timed_out(&self) {
        TIMEOUTS.add(1, self.labels);
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        WAITS.record(self.started.elapsed().as_secs_f64(), self.labels);
    }
}
