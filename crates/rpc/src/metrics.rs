//! What is measured of calls to peers.

use std::{sync::LazyLock, time::Duration};

use telemetry::metrics::{Counter, Gauge, Histogram, KeyValue, SECONDS, counter, gauge, histogram};
use tonic::Code;

use crate::watch::Method;

static DURATION: LazyLock<Histogram> = LazyLock::new(|| {
    histogram(
        "rpc.client.duration",
        "s",
        "How long a call to another service took, until its answer began.",
        SECONDS,
    )
});
static RESENT: LazyLock<Counter> = LazyLock::new(|| {
    counter(
        "rpc.client.resent",
        "{call}",
        "Calls that were sent once more because they had not reached a handler.",
    )
});
static RETRIES: LazyLock<Counter> = LazyLock::new(|| {
    counter(
        "rpc.client.retries",
        "{call}",
        "Calls that should be sent again after trouble, and whether the budget let them.",
    )
});
static EJECTIONS: LazyLock<Counter> = LazyLock::new(|| {
    counter(
        "rpc.client.ejections",
        "{endpoint}",
        "Endpoints of a peer that were left out for a while, after errors in a row.",
    )
});
static ENDPOINTS: LazyLock<Gauge> = LazyLock::new(|| {
    gauge(
        "rpc.client.endpoints",
        "{endpoint}",
        "Endpoints of a peer that calls can go to.",
    )
});

pub(crate) fn resent() {
    RESENT.add(1, &[]);
}

pub(crate) fn retried(is_granted: bool) {
    let outcome = if is_granted { "granted" } else { "denied" };
    RETRIES.add(1, &[KeyValue::new("outcome", outcome)]);
}

pub(crate) fn ejected(host: &str) {
    EJECTIONS.add(1, &[KeyValue::new("server.address", host.to_owned())]);
}

pub(crate) fn endpoints(host: &str, count: usize) {
    let labels = [KeyValue::new("server.address", host.to_owned())];
    ENDPOINTS.set(u32::try_from(count).map_or(f64::MAX, f64::from), &labels);
}

/// To be called in the call's span, from which exemplars are taken.
pub(crate) fn called(method: Method, code: Code, after: Duration) {
    let labels = [
        KeyValue::new("rpc.service", method.service),
        KeyValue::new("rpc.method", method.name),
        KeyValue::new("rpc.grpc.status_code", i64::from(code as i32)),
    ];
    DURATION.record(after.as_secs_f64(), &labels);
}
