//! The contract of a key, on a real Postgres.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panic"
)]

mod acts;
mod batches;
mod expiry;
mod lost_commit;
mod metrics;
mod races;
mod replay;
mod running;
mod shop;
