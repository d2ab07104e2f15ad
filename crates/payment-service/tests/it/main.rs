//! The payment service on a real Postgres, against the real simulator, over
//! real gRPC.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panic"
)]

mod audit;
mod audit_log;
mod batches;
mod books;
mod captures;
mod creations;
mod domain;
mod events;
mod inputs;
mod keys;
mod lists;
mod metrics;
mod reconciled;
mod reconciler;
mod refunds;
mod shop;
mod voids;
mod webhooks;
