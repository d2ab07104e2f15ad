use batch::GatherError;
use database::AsDatabaseError;

use crate::domain::Refusal;

/// Why a verb has no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Database(#[from] database::Error),
    /// Nothing was done.
    #[error("too many calls are waiting")]
    Overloaded,
    /// What was done is unknown: ask again under the same key.
    #[error("the batch broke down")]
    BrokeDown,
}

impl AsDatabaseError for Error {
    fn as_database_error(&self) -> Option<&database::Error> {
        match self {
            Self::Database(error) => Some(error),
            Self::Refused(_) | Self::Overloaded | Self::BrokeDown => None,
        }
    }
}

impl From<GatherError> for Error {
    fn from(error: GatherError) -> Self {
        match error {
            GatherError::Overloaded => Self::Overloaded,
            GatherError::Closed | GatherError::Panicked => Self::BrokeDown,
        }
    }
}
