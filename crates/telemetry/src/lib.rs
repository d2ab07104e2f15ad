//! Logs, traces and metrics of a process: one subscriber, one guard.
//!
//! Every span has a valid trace id, exported or not, so that logs of several
//! services can be joined and the id travels on. One global filter decides for
//! logs and traces alike; there are no per-layer filters, because their cached
//! answers go stale when a dependency asks `log::log_enabled!`, and the next
//! span is lost then (tokio-rs/tracing#2519).

mod error;
mod export;
mod filter;
mod guard;
mod limits;
mod log;
pub mod metrics;
mod panics;
pub mod propagation;
mod resource;
mod sampling;
mod settings;
mod start;
mod variables;

pub use error::Error;
pub use filter::{InvalidLevel, Level, LevelHandle};
pub use guard::Guard;
#[doc(hidden)]
pub use panics::record_them as record_panics;
pub use sampling::SampleHandle;
pub use settings::{LogFormat, LogSettings, OtlpProtocol, Ratio, Settings, TraceSettings};
pub use start::{Service, init};
#[doc(hidden)]
pub use start::{build, build_from};
#[doc(hidden)]
pub use variables::Variables;
