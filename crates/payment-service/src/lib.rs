//! Payments: moves money for orders through a payment provider, never twice,
//! and can show what happened to each penny.
//!
//! `grpc`, `http` and `worker` come in, `app` decides and owns transactions,
//! `domain` is what is true about payments, `store` is SQL, `provider` goes
//! out. Orders and stock are other services' business.

pub mod app;
pub mod domain;
mod events;
mod grpc;
pub mod http;
mod message;
mod metrics;
pub mod provider;
mod settings;
mod start;
pub mod store;
mod worker;

pub use events::STREAM;
#[doc(hidden)]
pub use grpc::every_request;
pub use settings::Settings;
pub use start::{Around, Part, Running, StartError, migrate, serve, start};

use sqlx::migrate::Migrator;

/// The tables of this service alone.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// All tables in the database of this service.
pub const MIGRATORS: [&Migrator; 4] = [
    &outbox::MIGRATOR,
    &idempotency::MIGRATOR,
    &audit::MIGRATOR,
    &MIGRATOR,
];
