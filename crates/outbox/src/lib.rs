//! Events: written in the transaction that makes them true, published to Redis
//! Streams at least once and per aggregate in order, acted upon once.
//!
//! [`append`] writes, one [`Relay`] per database publishes, a [`Consumer`] per
//! group keeps an inbox. Redis may be away at any time: events wait in the
//! table. What an event means is the business of the services.
//!
//! # Why no event is skipped and none overtakes another
//!
//! The relay keeps no cursor. It reads the first rows that are visible, in the
//! order of `position`, and deletes what it has published; a transaction that
//! took its position early and commits late is simply found later. Within an
//! aggregate `position` rises with `sequence`, because both are taken while
//! the aggregate is locked, and whoever sees a row also sees every earlier one
//! of its aggregate, because that one's transaction had to commit first. Ids
//! of transactions do not serve as such an order: one that works on several
//! aggregates has its id before it waits for the lock of the second. Nor do
//! they survive a restore into a new cluster, as positions do.

mod append;
mod broker;
mod consumer;
mod delivery;
mod depth;
mod event;
mod handler;
mod inbox;
mod metrics;
mod outage;
mod parked;
mod relay;
mod seat;
mod spans;

pub use append::append;
#[doc(hidden)]
pub use broker::parse;
pub use consumer::Consumer;
pub use depth::{depth, lag};
pub use event::{Event, Received};
pub use handler::{HandleError, Handler};
pub use inbox::prune_inbox;
pub use metrics::measure;
pub use parked::{Parked, parked, release_parked};
pub use relay::{Relay, Wake};

/// The tables `outbox`, `inbox` and `inbox_parked`.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();
