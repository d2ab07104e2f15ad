//! What runs without being asked: sagas that are due, leases, events of the
//! other services, gauges, and tidying.

mod events;
mod gauges;
mod prune;
mod sagas;

pub use events::{inventory_events, payment_events};
pub use gauges::gauges;
pub use prune::prune;
pub use sagas::{renew_claims, run_due_sagas};
