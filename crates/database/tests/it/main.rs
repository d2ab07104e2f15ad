//! The way to Postgres, on a real Postgres.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed expectation fails the test"
)]

mod cancellation;
mod errors;
mod limits;
mod migrations;
mod rotation;
mod rows;
mod start_up;
mod trying_again;
