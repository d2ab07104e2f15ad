use std::time::Duration;

use database::AsDatabaseError;
use types::OrderId;

use crate::domain::Refusal;
use crate::peers::Trouble;

/// Why a verb has no answer of its own.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no {kind} {name}")]
    NotFound { kind: &'static str, name: String },
    #[error("the order {0} changed since the etag was read")]
    EtagMismatch(OrderId),
    /// Against the rules of orders, or a peer said no for good.
    #[error("{}: {}", .0.code, .0.message)]
    Refused(Refusal),
    /// The same, for the one who placed the order.
    #[error("order {order_id} was rejected: {}", refusal.code)]
    Rejected { order_id: OrderId, refusal: Refusal },
    #[error("somebody else changed the order meanwhile")]
    Conflict,
    #[error("new orders are not accepted now")]
    NotAccepting,
    #[error("too much is waiting already")]
    Overloaded,
    #[error("the first call with this key still runs")]
    InProgress { retry_after: Duration },
    #[error("the key was used for another request")]
    KeyReused,
    #[error("a peer cannot be asked: {}", .0.message)]
    Peer(Trouble),
    #[error("the deadline passed")]
    DeadlineExceeded,
    #[error(transparent)]
    Database(#[from] database::Error),
    #[error("{0}")]
    Bug(&'static str),
}

impl Error {
    pub fn no_order(id: OrderId) -> Self {
        Self::NotFound {
            kind: "order",
            name: id.to_string(),
        }
    }
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        Self::Peer(trouble)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<batch::GatherError> for Error {
    fn from(error: batch::GatherError) -> Self {
        match error {
            batch::GatherError::Overloaded => Self::Overloaded,
            batch::GatherError::Closed => Self::Bug("a gatherer has ended"),
            batch::GatherError::Panicked => Self::Bug("a batch panicked"),
        }
    }
}

impl From<idempotency::Failure<Error>> for Error {
    fn from(failure: idempotency::Failure<Error>) -> Self {
        match failure {
            idempotency::Failure::KeyReused => Self::KeyReused,
            idempotency::Failure::InProgress { retry_after } => Self::InProgress { retry_after },
            idempotency::Failure::Refused(error) => error,
        }
    }
}

impl AsDatabaseError for Error {
    fn as_database_error(&self) -> Option<&database::Error> {
        match self {
            Self::Database(error) => Some(error),
            _ => None,
        }
    }
}
