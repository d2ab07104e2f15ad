//! Tokens as callers send them, keys as issuers publish them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail by panic"
)]

mod algorithms;
mod developer;
mod issuer;
mod rotation;
mod rules;
mod settings;
mod tokens;
mod url;
