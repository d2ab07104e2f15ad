//! The store as those who send to it and ask it meet it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Tests.

mod bounds;
mod otlp;
mod program;
mod questions;
mod refusals;
mod sender;
