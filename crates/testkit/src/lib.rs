//! What tests stand on: a private Postgres and a private Redis that are
//! started by the test process and end with it, even when it is killed.
//!
//! It never reads an address from the environment, so no test can touch a
//! database that is not ours. Every failure here is a panic with the reason.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot have its surroundings must fail at once"
)]

mod leaks;
pub mod metrics;
pub mod orphans;
mod passwords;
mod ports;
mod postgres;
mod redis;
mod server;

pub use self::leaks::{assert_tells_nothing, database_errors};
pub use self::ports::free_port;
pub use self::postgres::{TestDatabase, TestPostgres, database, postgres};
pub use self::redis::{TestRedis, redis};
pub use self::server::stores_available;
