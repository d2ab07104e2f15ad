//! The service on a real Postgres, called over real gRPC.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod adjusting;
mod audit_log;
mod auditing;
mod batches;
mod chaos;
mod domain;
mod holds;
mod input;
mod keys;
mod lists;
mod metrics;
mod model;
mod ops;
mod reserving;
mod shipping;
mod starting;
mod watching;
mod world;
