//! How much one customer, credential, client address or idempotency key may
//! ask of the shop.
//!
//! Each has a bucket that holds `burst` units and drains by `per_second`; a
//! call pours its cost into all of its buckets, or into none if one would run
//! over (the generic cell rate algorithm). The buckets stand in Redis and are
//! shared by all replicas. While Redis does not answer, this process counts by
//! itself: limits are looser then, but calls go on, and none waits for Redis.
//!
//! What a call costs is the contract's business, and how a refusal is told is
//! that of the edge. Connections and bytes are limited elsewhere.

mod address;
mod bucket;
mod exceeded;
mod limiter;
mod metrics;
mod settings;
mod shared;
mod subject;
mod table;

#[doc(hidden)]
pub use address::client as client_address;
pub use exceeded::Exceeded;
pub use limiter::{Entry, Limits};
pub use settings::{ForwardedBy, Network, Quota, Settings};
pub use subject::Dimension;
