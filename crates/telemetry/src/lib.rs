//! Logs, traces and metrics of a process: one subscriber, one guard.
//!
//! Every span has a valid trace id, exported or not, so that logs of several
//! services can be joined and the id travels on. One global filter decides for
//! logs and traces alike; there are no per-layer filters, because their cached
//! answers go stale when a dependency asks `log::log_enabled!`, and the next
//! span is lost then (tokio-rs/tracing#2519).

mod error;
mod filter;
mod log;
pub mod metrics;
mod panics;
pub mod propagation;
mod sampling;
mod settings;
mod start;
mod traces;

pub use error::Error;
pub use filter::{InvalidLevel, Level, LevelHandle};
pub use sampling::SampleHandle;
pub use settings::{LogFormat, LogSettings, Ratio, Settings, TraceSettings};
#[doc(hidden)]
pub use start::build;
pub use start::{Guard, Service, init};
