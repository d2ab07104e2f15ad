//! Events from the transaction to the one effect, on a real Postgres and Redis.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panic"
)]

mod consuming;
mod metrics;
mod misfortune;
mod parking;
mod relaying;
mod rotation;
mod world;
mod writers;
