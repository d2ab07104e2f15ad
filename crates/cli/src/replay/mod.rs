//! A file of real sales sent through the shop as a shop would send it.
//!
//! `parse` reads lines, `plan` says what they mean, `returns` which orders
//! come back, `run` does it, `account` tells what became of every line. Only
//! `run` talks to the shop.

pub mod account;
pub mod parse;
pub mod plan;
pub mod returns;
pub mod run;

pub use account::Account;
pub use parse::parse;
pub use plan::{Plan, Stock};
pub use run::{Options, run};
