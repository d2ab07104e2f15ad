//! `cartwright`, the command-line client of the shop.
//!
//! Each command reads its arguments, calls the services by their public API
//! and shows the answer. No rule of the shop is decided here. It is a library
//! too, so that the tests of the whole shop can run a replay.

pub mod args;
pub mod audit;
pub mod command;
pub mod credentials;
pub mod exit;
pub mod failure;
pub mod import;
pub mod input;
pub mod json;
pub mod output;
pub mod replay;
pub mod run;
pub mod scopes;
pub mod shop;
pub mod show;
pub mod trace;
