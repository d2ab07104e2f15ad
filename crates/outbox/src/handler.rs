use crate::Received;
use database::{AsDatabaseError, Connection};

/// Acts upon the events of one stream.
pub trait Handler: Send + Sync {
    /// Acts in the consumer's transaction, which also says that the event was
    /// handled: all of it happens, once, or none. It neither begins nor
    /// commits. An event that is of no interest is `Ok`.
    fn handle(
        &self,
        tx: &mut Connection,
        event: &Received,
    ) -> impl Future<Output = Result<(), HandleError>> + Send;
}

/// Why an event was not handled.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// Outages are waited out; anything else counts as a failed try.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// A failed try.
    #[error("{0}")]
    Failed(Box<dyn std::error::Error + Send + Sync>),
    /// A failed try, by a bug.
    #[error("the handler panicked")]
    Panicked,
}

impl HandleError {
    pub fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Failed(error.into())
    }

    /// For `error.type`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Database(_) => "database",
            Self::Failed(_) => "handler",
            Self::Panicked => "panicked",
        }
    }

    /// Nothing is wrong with the event: the database is away.
    pub(crate) fn is_outage(&self) -> bool {
        // A statement of the handler that takes too long is its own fault.
        let is_own_fault = |error: &database::Error| error.code().as_deref() == Some("57014");
        self.as_database_error()
            .is_some_and(|error| error.is_unavailable() && !is_own_fault(error))
    }
}

impl From<sqlx::Error> for HandleError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

impl AsDatabaseError for HandleError {
    fn as_database_error(&self) -> Option<&database::Error> {
        match self {
            Self::Database(error) => Some(error),
            Self::Failed(_) | Self::Panicked => None,
        }
    }
}
