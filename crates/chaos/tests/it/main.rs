//! On real processes: `cargo build --workspace --bins` comes first.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod damages;
mod verdict;
