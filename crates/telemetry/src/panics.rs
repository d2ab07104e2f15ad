//! A panic is counted, becomes an exception of the span it happened in, and a
//! line of the log like any other.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic::PanicHookInfo,
    sync::LazyLock,
};

use opentelemetry::{KeyValue, trace::Status};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::metrics::{self, Counter};

static PANICS: LazyLock<Counter> = LazyLock::new(|| {
    let description = "Panics of this process. Each is a bug.";
    metrics::counter("panics", "{panic}", description)
});

#[doc(hidden)]
pub fn record_them() {
    // Who watches for growth must have seen the 0.
    PANICS.add(0, &[]);
    std::panic::set_hook(Box::new(record));
}

fn record(info: &PanicHookInfo<'_>) {
    PANICS.add(1, &[]);
    let message = info.payload_as_str().unwrap_or("no message");
    let location = info.location().map(ToString::to_string);
    let thread = std::thread::current();
    // Empty unless RUST_BACKTRACE asks for it.
    let backtrace = Backtrace::capture();
    let backtrace = match backtrace.status() {
        BacktraceStatus::Captured => Some(backtrace.to_string()),
        _ => None,
    };
    mark(&Span::current(), message, backtrace.as_deref());
    tracing::error!(
        target: "panic",
        {
            panic.location = location,
            panic.thread = thread.name(),
            panic.backtrace = backtrace,
        },
        "panicked: {message}"
    );
}

/// As the semantic conventions want an exception.
fn mark(span: &Span, message: &str, backtrace: Option<&str>) {
    let mut attributes = vec![
        KeyValue::new("exception.type", "panic"),
        KeyValue::new("exception.message", message.to_owned()),
    ];
    if let Some(backtrace) = backtrace {
        attributes.push(KeyValue::new("exception.stacktrace", backtrace.to_owned()));
    }
    span.add_event("exception", attributes);
    span.set_status(Status::error("panicked"));
}
