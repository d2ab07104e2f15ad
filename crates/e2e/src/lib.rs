//! The whole shop as a test sees it: the real binaries, on ports of their own,
//! over a private Postgres and Redis. The only crate that may know all others.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot have its surroundings must fail at once"
)]

mod calls;
mod issuer;
mod part;
pub mod raw;
pub mod schema;
mod shop;

pub use calls::{Calls, line, order_request};
pub use issuer::Issuer;
pub use part::{Part, Program};
pub use shop::{SERVICES, Shop, Transport, checkout, program};
