//! What runs by itself: the reconciler, and the pruning of old rows. Each may
//! run in every replica and be killed at any time.

mod housekeeping;
mod reconciler;

pub use housekeeping::keep_house;
pub use reconciler::reconcile;
