/// Why a gathered call has no answer of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GatherError {
    /// The queue is full; nothing was done.
    #[error("too many calls are waiting")]
    Overloaded,
    /// The worker has ended, as it does when its runtime shuts down. A call
    /// that was already queued may or may not have run.
    #[error("the worker has ended")]
    Closed,
    /// The batch that held this call panicked or miscounted its answers. What
    /// it did is unknown to the caller: ask again under the same key.
    #[error("the batch broke down")]
    Panicked,
}

impl GatherError {
    /// For `error.type`.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Overloaded => "overloaded",
            Self::Closed => "closed",
            Self::Panicked => "panicked",
        }
    }
}
