//! Tests of the whole shop, on the real binaries, and of its architecture.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod access;
mod architecture;
mod browsers;
mod canary;
mod crash;
mod drain;
mod failpoints;
mod health;
mod orders;
mod races;
mod replay;
mod telemetry_names;
mod trace;
