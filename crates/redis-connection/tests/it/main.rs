//! Ways to a real Redis.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Tests.

mod rotation;
mod settings;
