//! What is measured of calls, whatever they came over.

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use rpc::Reason;
use telemetry::metrics::{Counter, Histogram, KeyValue, SECONDS, counter, histogram, observe};
use tonic::Code;

static DURATION: LazyLock<Histogram> = LazyLock::new(|| {
    histogram(
        "rpc.server.duration",
        "s",
        "How long a call took, from the gate to the end of its answer.",
        SECONDS,
    )
});
static REFUSED: LazyLock<Counter> = LazyLock::new(|| {
    counter(
        "calls.refused",
        "{call}",
        "Calls that the gate did not let in.",
    )
});
static ACTIVE: AtomicI64 = AtomicI64::new(0);
static ACTIVE_IS_READ: LazyLock<()> = LazyLock::new(|| {
    observe(
        "rpc.server.active",
        "{request}",
        "Calls that run now, streams included.",
        |active| active.set(ACTIVE.load(Ordering::Relaxed) as f64, &[]),
    );
});

/// What stands for a method that does not exist: callers may write anything.
const OTHER: &str = "_OTHER";

/// A method as it is told of.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    pub(crate) service: Arc<str>,
    pub(crate) method: Arc<str>,
}

impl Name {
    /// Of the path of a method that exists.
    pub(crate) fn of(path: &str) -> Self {
        let path = path.trim_start_matches('/');
        let (service, method) = path.split_once('/').unwrap_or((path, ""));
        Self {
            service: service.into(),
            method: method.into(),
        }
    }

    pub(crate) fn other() -> Self {
        Self {
            service: OTHER.into(),
            method: OTHER.into(),
        }
    }
}

pub(crate) fn began() {
    LazyLock::force(&ACTIVE_IS_READ);
    ACTIVE.fetch_add(1, Ordering::Relaxed);
}

/// To be called in the call's span, from which exemplars are taken.
pub(crate) fn ended(name: &Name, code: Code, after: Duration) {
    ACTIVE.fetch_sub(1, Ordering::Relaxed);
    let labels = [
        KeyValue::new("rpc.service", name.service.clone()),
        KeyValue::new("rpc.method", name.method.clone()),
        KeyValue::new("rpc.grpc.status_code", i64::from(code as i32)),
    ];
    DURATION.record(after.as_secs_f64(), &labels);
}

pub(crate) fn refused(reason: Reason) {
    REFUSED.add(1, &[KeyValue::new("reason", reason.code())]);
}
