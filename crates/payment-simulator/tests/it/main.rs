//! The simulator over real HTTP: each test has its own, on a free port, with
//! its own books.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod amounts;
mod books;
mod faults;
mod journal;
mod keys;
mod methods;
mod process;
mod receiver;
mod refunds;
mod requests;
mod shop;
mod webhooks;
