//! A panic becomes a line of the log like any other, with the ids of the trace
//! it happened in.

use std::{backtrace::Backtrace, panic::PanicHookInfo};

pub(crate) fn log_them() {
    std::panic::set_hook(Box::new(log));
}

fn log(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("no message");
    let location = info.location().map(ToString::to_string);
    let thread = std::thread::current();
    // Empty unless RUST_BACKTRACE asks for it.
    let backtrace = Backtrace::capture();
    let backtrace = match backtrace.status() {
        std::backtrace::BacktraceStatus::Captured => Some(backtrace.to_string()),
        _ => None,
    };
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
