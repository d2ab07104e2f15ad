//! Gathers concurrent calls of one verb into batches, without adding delay.
//!
//! While one batch runs, arrivals wait; the next batch is whatever waits then,
//! up to a limit. At low load a batch is a single call, at high load it grows
//! by itself. There is no timer, and nothing here knows what a call means.

mod error;
mod gatherer;
mod metrics;
mod stay;
mod worker;

pub use error::GatherError;
pub use gatherer::Gatherer;
