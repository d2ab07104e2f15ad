//! REST on real handlers of the contract, in one process and without a store.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod document;
mod inventory;
mod measured;
mod reading;
mod refusing;
mod streaming;
mod world;
