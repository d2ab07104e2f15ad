//! Trace context of callers: taken over when it is good, left when not.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderValue};
use telemetry::propagation;
use tracing::{Dispatch, dispatcher};
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::text::{lines, lossy};

static DISPATCH: LazyLock<Dispatch> = LazyLock::new(|| {
    let service = telemetry::Service {
        name: "fuzz",
        version: "0",
        environment: "test",
    };
    let silent = BoxMakeWriter::new(std::io::sink);
    let settings = telemetry::Settings::default();
    let (subscriber, guard) = telemetry::build(&settings, &service, silent, false).unwrap();
    // Traces are made as long as it lives.
    std::mem::forget(guard);
    Dispatch::new(subscriber)
});

/// The lines are `traceparent`, `tracestate` and `baggage`.
pub(crate) fn trace_context(data: &[u8]) {
    let [parent, state, baggage] = lines(data);
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("traceparent", parent),
        ("tracestate", state),
        ("baggage", baggage),
    ] {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.insert(name, value);
        }
    }
    dispatcher::with_default(&DISPATCH, || {
        let span = tracing::info_span!("call");
        propagation::set_parent(&span, &headers);
        span.in_scope(|| goes_on(&lossy(parent)));
        let span = tracing::info_span!("consume");
        propagation::set_parent_from(&span, &lossy(parent));
        span.in_scope(|| goes_on(&lossy(parent)));
        propagation::add_link(&span, &lossy(parent));
    });
}

/// What goes out is well formed, and of the caller's trace if that was.
fn goes_on(parent: &str) {
    let out = propagation::current_traceparent().unwrap();
    let trace = trace_id(&out).expect("what goes out is well formed");
    if let Some(callers) = trace_id(parent) {
        assert_eq!(trace, callers);
    }
    let mut headers = HeaderMap::new();
    propagation::inject(&mut headers);
    assert_eq!(headers["traceparent"].to_str().unwrap(), out);
}

/// Of a `traceparent` of version 00.
fn trace_id(text: &str) -> Option<&str> {
    let mut parts = text.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let (span, flags) = (parts.next()?, parts.next()?);
    let is_hex = |part: &str, length| {
        part.len() == length && part.bytes().all(|byte| b"0123456789abcdef".contains(&byte))
    };
    let is_zero = |part: &str| part.bytes().all(|byte| byte == b'0');
    let good = version == "00"
        && is_hex(trace, 32)
        && is_hex(span, 16)
        && matches!(flags, "00" | "01")
        && !is_zero(trace)
        && !is_zero(span);
    (good && parts.next().is_none()).then_some(trace)
}
