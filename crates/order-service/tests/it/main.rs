//! The order service on a real Postgres and Redis, with peers that keep real
//! books in memory and fail in every way on demand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panic"
)]

mod audit_log;
mod bad_input;
mod cancel;
mod create;
mod events;
mod fakes;
mod fencing;
mod fulfil_and_return;
mod idempotency;
mod lists;
mod metrics;
mod model;
mod process;
mod reconcile;
mod recovery;
mod requests;
mod resolve;
mod saga_table;
mod shop;
mod watch;
