//! What runs by itself: the reconciler, gauges, and the pruning of old rows. Each
//! may run in every replica and be killed at any time.

mod gauges;
mod housekeeping;
mod reconciler;

pub use gauges::gauges;
pub use housekeeping::keep_house;
pub use reconciler::reconcile;
