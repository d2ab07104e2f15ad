//! A small service, run as a child process: what an operator sees of its
//! start, its end and its exit codes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Tests.

mod child;
mod commands;
mod metrics;
mod refusals;
mod reloading;
mod stopping;
