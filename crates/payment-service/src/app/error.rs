use std::time::Duration;

use batch::GatherError;
use database::AsDatabaseError;
use idempotency::Failure;
use types::OrderId;

use crate::domain::Refused;

/// Why a verb did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("no {kind} {name}")]
    NotFound { kind: &'static str, name: String },
    #[error("the {kind} {name} has changed")]
    EtagMismatch { kind: &'static str, name: String },
    #[error("the provider declined: {code}")]
    Declined { code: String },
    #[error("the order {0} has a live payment")]
    PaymentExists(OrderId),
    #[error("the payment of the order {0} was voided")]
    PaymentVoided(OrderId),
    #[error("the provider refused the capture: {code}")]
    CaptureRefused { code: String },
    #[error("the provider refused the refund: {code}")]
    RefundRefused { code: String },
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Nothing is lost, the same key asks again.
    #[error("the provider's answer is not known yet")]
    OutcomeUnknown,
    #[error("the idempotency key was used for another request")]
    KeyReused,
    #[error("the first call with this idempotency key still runs")]
    InProgress { retry_after: Duration },
    #[error("too many calls are waiting")]
    Overloaded,
    #[error("the service is stopping")]
    Stopping,
    #[error("the provider cannot be asked: {0}")]
    ProviderUnavailable(String),
    #[error("database: {0}")]
    Database(#[from] database::Error),
    #[error("bug: {0}")]
    Bug(&'static str),
}

impl AsDatabaseError for AppError {
    fn as_database_error(&self) -> Option<&database::Error> {
        match self {
            AppError::Database(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Failure<AppError>> for AppError {
    fn from(failure: Failure<AppError>) -> Self {
        match failure {
            Failure::KeyReused => AppError::KeyReused,
            Failure::InProgress { retry_after } => AppError::InProgress { retry_after },
            Failure::Refused(error) => error,
        }
    }
}

impl From<GatherError> for AppError {
    fn from(error: GatherError) -> Self {
        match error {
            GatherError::Overloaded => AppError::Overloaded,
            GatherError::Closed => AppError::Stopping,
            GatherError::Panicked => AppError::Bug("a batch broke down"),
        }
    }
}

pub(super) fn no_payment(name: impl ToString) -> AppError {
    AppError::NotFound {
        kind: "payment",
        name: name.to_string(),
    }
}

/// Refuses when the caller has read another version than there is.
pub(super) fn check_etag(
    payment: &crate::domain::Payment,
    read_version: Option<i64>,
) -> Result<(), AppError> {
    match read_version {
        Some(version) if version != payment.version => Err(AppError::EtagMismatch {
            kind: "payment",
            name: payment.id.to_string(),
        }),
        Some(_) | None => Ok(()),
    }
}
