//! Limits on a real Redis, and without one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panic"
)]

mod counting;
mod door;
mod model;
mod outage;
mod settings;
mod world;
