use std::time::Duration;

use crate::Dimension;

/// The call is refused; it has used up nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many calls of one {dimension}")]
pub struct Exceeded {
    /// The one with the longest wait, if several are exceeded.
    pub dimension: Dimension,
    /// The same call is admitted after this time if nobody else is in between.
    pub retry_after: Duration,
}
