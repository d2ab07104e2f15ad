//! What is measured of calls to peers.

use std::{sync::LazyLock, time::Duration};

use telemetry::metrics::{Histogram, KeyValue, SECONDS, histogram};
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

/// To be called in the call's span, from which exemplars are taken.
pub(crate) fn called(method: Method, code: Code, after: Duration) {
    let labels = [
        KeyValue::new("rpc.service", method.service),
        KeyValue::new("rpc.method", method.name),
        KeyValue::new("rpc.grpc.status_code", i64::from(code as i32)),
    ];
    DURATION.record(after.as_secs_f64(), &labels);
}
