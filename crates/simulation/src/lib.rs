//! The rules of order, stock and payment at work on one another in memory: no
//! database, no network, no clock. Their own code decides; what lies between
//! them (calls, keys, claims, crashes, the provider) is a model in here that can
//! be made to fail at any moment.
//!
//! [`saga`] takes one order through all of it under a plan of faults, and says
//! what of the promises does not hold in the end. A plan is written out in full
//! ([`saga::pairs`]) or drawn from a seed ([`saga::Dice`]), so every run can be
//! repeated.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a tool for tests: what cannot be is a bug of the model"
)]

pub mod campaign;
pub mod keys;
pub mod money;
pub mod provider;
pub mod saga;
pub mod stock;
