//! The stores of tests, tested: each one fresh, private, and gone in the end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed expectation fails the test"
)]

mod databases;
mod lifetime;
mod redis;
