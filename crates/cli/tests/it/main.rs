//! The command-line client as its users meet it, without a shop: what a file
//! means, and what the program says and returns.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail by panic"
)]

mod account;
mod command_line;
mod credentials;
mod fake_shop;
mod lines;
mod plan;
mod replay;
mod returns;
mod waterfall;
