//! Proves by experiment that the shop keeps its promises: starts its real
//! processes, gives them load, kills, freezes and cuts them, and judges by
//! their books, the provider's and what clients were told.
//!
//! The load itself is `load`; what must hold is in `ARCHITECTURE.md`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "an experiment that cannot have its surroundings must fail at once"
)]

pub mod drill;
pub mod faults;
pub mod history;
pub mod overload;
pub mod planted;
pub mod points;
pub mod progress;
pub mod proxy;
pub mod report;
pub mod rolling;
pub mod run;
pub mod schedule;
pub mod shop;
pub mod verdict;
pub mod workload;
