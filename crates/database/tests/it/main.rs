//! The way to Postgres, on a real Postgres.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed expectation fails the test"
)]

mod cancellation;
mod errors;
mod kept_spans;
mod limits;
mod migrations;
mod pools;
mod rotation;
mod rows;
mod start_up;
mod trying_again;
mod watching;
