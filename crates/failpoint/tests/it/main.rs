//! The lists agree with the code, and the macros do what they say: with the
//! features in a process of its own, and without them nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panic"
)]

mod child;
mod names;
