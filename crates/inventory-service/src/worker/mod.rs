//! Work that nobody calls for. Each worker may run in every replica, may be
//! killed at any moment, and goes on through outages of the database.

mod gauges;
mod head;
mod pruner;
mod sweeper;

pub use gauges::gauges;
pub use head::follow_head;
pub use pruner::prune_keys;
pub use sweeper::sweep_holds;
