//! inventory-service: what there is, where it is, and to whom it is promised.
//!
//! `domain` has the rules, `store` the SQL, `events` what is told to others, `app`
//! one file per verb, `grpc` the edge, `worker` what runs unasked. [`start`] builds a
//! replica; the binary and the tests both use it.

pub mod app;
pub mod domain;
mod events;
pub mod grpc;
mod metrics;
mod settings;
mod start;
pub mod store;
mod worker;

pub use settings::{Holds, Settings, Watch};
pub use start::{Error, Part, Replica, Surroundings, migrate, serve, start};

/// The tables of this service, beside those of its parts.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// Everything that its database needs, in order.
pub static MIGRATORS: [&sqlx::migrate::Migrator; 4] = [
    &outbox::MIGRATOR,
    &idempotency::MIGRATOR,
    &audit::MIGRATOR,
    &MIGRATOR,
];
