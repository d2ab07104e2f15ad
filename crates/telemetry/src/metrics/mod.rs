//! What is counted and measured: instruments, and where they are read.
//!
//! An instrument is a static of the crate that measures; it may be made and used
//! at any time. It counts from the moment that [`crate::init`] has installed the
//! SDK, and costs nearly nothing where nobody has (in most tests).
//!
//! Names have dots (`orders.created`); a reader of Prometheus' text finds
//! `orders_created_total`. Labels have few values: never an id, a customer, a SKU
//! or a path with values in it.

mod exemplars;
mod installed;
mod instruments;
mod observed;
mod text;

pub(crate) use exemplars::{ExemplarFilter, set_filter};
#[doc(hidden)]
pub use installed::install;
pub(crate) use installed::{Pull, install_provider, provider};
pub use instruments::{Counter, Gauge, Histogram, counter, gauge, histogram};
pub use observed::{Observations, observe, observe_total};
pub use opentelemetry::KeyValue;
pub use text::{Format, text};

/// Bounds for durations in seconds, from one millisecond to half a minute.
pub const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
