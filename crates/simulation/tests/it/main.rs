//! The rules of all three services in memory: under every fault, every pair of
//! faults and random ones, and each broken rule found out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests fail by panic, and tell which faults found what"
)]

mod broken;
mod faults;
mod payment;
mod random;
mod stock;
