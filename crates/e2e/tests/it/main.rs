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
mod orders;
mod races;
mod replay;
