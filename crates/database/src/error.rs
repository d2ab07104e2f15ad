//! One error type, and the questions callers ask it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// A failure of the database. Its text is for logs: it may name tables,
/// constraints and values, so it never goes to a client.
///
/// It can be cloned, because a batch that fails fails for each of its callers.
#[derive(Debug, Clone)]
pub struct Error {
    source: Arc<sqlx::Error>,
    committing: bool,
}

/// Lets [`crate::Database::retry`] look inside a caller's own error type.
pub trait AsDatabaseError {
    fn as_database_error(&self) -> Option<&Error>;
}

impl Error {
    /// A failure while COMMIT was under way.
    pub(crate) fn in_commit(source: sqlx::Error) -> Self {
        Self {
            source: Arc::new(source),
            committing: true,
        }
    }

    /// The name of the constraint that refused the statement.
    pub fn constraint(&self) -> Option<&str> {
        self.source.as_database_error()?.constraint()
    }

    /// The SQLSTATE, when the server answered with one.
    pub fn code(&self) -> Option<Cow<'_, str>> {
        self.source.as_database_error()?.code()
    }

    /// A race or a wait for a lock was lost: the transaction left nothing
    /// behind, and run again it may well succeed.
    pub fn is_transient(&self) -> bool {
        // serialization_failure, deadlock_detected, lock_not_available
        self.has_code(|code| matches!(code, "40001" | "40P01" | "55P03"))
    }

    /// The connection is of no more use: it broke, the server goes down, or it
    /// has become a read-only standby.
    pub fn is_connection_lost(&self) -> bool {
        match &*self.source {
            sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
            _ => self.has_code(|code| {
                // read_only_sql_transaction, admin_shutdown, crash_shutdown,
                // cannot_connect_now, connection exceptions, and the two
                // sessions ended for being idle
                matches!(
                    code,
                    "25006" | "57P01" | "57P02" | "57P03" | "57P05" | "25P03"
                ) || code.starts_with("08")
            }),
        }
    }

    /// COMMIT was sent and its answer was lost. The work may or may not be
    /// done: look it up by its key in a new transaction before doing it again.
    pub fn is_outcome_unknown(&self) -> bool {
        self.committing && self.is_connection_lost()
    }

    /// The caller should try later; nothing is wrong with the request.
    pub fn is_unavailable(&self) -> bool {
        if self.is_connection_lost() {
            return true;
        }
        match &*self.source {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Tls(_) => true,
            // insufficient resources (disk, memory, connections), query_canceled,
            // and a password that has changed and is about to be read anew
            _ => self.has_code(|code| {
                code.starts_with("53") || code.starts_with("28") || code == "57014"
            }),
        }
    }

    pub(crate) fn is_undefined_table(&self) -> bool {
        self.has_code(|code| code == "42P01")
    }

    fn has_code(&self, is_one: impl Fn(&str) -> bool) -> bool {
        self.code().is_some_and(|code| is_one(&code))
    }
}

impl From<sqlx::Error> for Error {
    fn from(source: sqlx::Error) -> Self {
        Self {
            source: Arc::new(source),
            committing: false,
        }
    }
}

impl From<sqlx::migrate::MigrateError> for Error {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        use sqlx::migrate::MigrateError;
        match error {
            MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
                source.into()
            }
            other => sqlx::Error::Migrate(Box::new(other)).into(),
        }
    }
}

impl AsDatabaseError for Error {
    fn as_database_error(&self) -> Option<&Error> {
        Some(self)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.committing {
            true => write!(f, "commit failed: {}", self.source),
            false => self.source.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&*self.source)
    }
}
