//! The way to Postgres that all services share: the pool with its limits, a
//! `begin` that survives cancellation, repeats of lost races, the classes of
//! errors, what is seen of each statement, and migrations. No service's SQL is
//! here.

mod access;
mod begin;
mod connect;
mod connection;
mod durability;
mod error;
mod failover;
mod metrics;
mod migrate;
mod pools;
mod retry;
mod settings;
mod statement;
mod tokens;
mod watch;

pub use begin::Tx;
pub use connect::Database;
pub use connection::{Connection, Pooled};
pub use durability::durability_warnings;
pub use error::{AsDatabaseError, Error};
pub use migrate::{migrate, schema_is_current};
pub use settings::Settings;

pub type Result<T> = std::result::Result<T, Error>;
