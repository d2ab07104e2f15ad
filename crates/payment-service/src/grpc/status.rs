//! The one place where an error of the app becomes a status. Causes that are
//! no business of the caller's are logged here, once, and not sent.

use std::time::Duration;

use idempotency::{Refusal, Saved};
use rpc::{Problem, Reason};

use crate::app::AppError;
use crate::domain::Refused;

const ASK_AGAIN: Duration = Duration::from_millis(500);
const TRY_AGAIN: Duration = Duration::from_millis(100);

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        log_cause(&error);
        problem(&error)
    }
}

impl Refusal for AppError {
    fn saved(&self) -> Option<Saved> {
        is_definite(self).then(|| problem(self).saved())
    }
}

/// Whether the same request would be refused for ever, and is answered so from
/// now on.
fn is_definite(error: &AppError) -> bool {
    match error {
        AppError::Declined { .. }
        | AppError::PaymentExists(_)
        | AppError::PaymentVoided(_)
        | AppError::CaptureRefused { .. }
        | AppError::RefundRefused { .. } => true,
        AppError::Refused(refused) => match refused {
            Refused::IllegalTransition { .. }
            | Refused::CaptureExceedsAuthorized { .. }
            | Refused::RefundExceedsCaptured { .. } => true,
            Refused::CurrencyMismatch { .. } | Refused::Busy | Refused::OutcomeUnknown => false,
        },
        AppError::NotFound { .. }
        | AppError::EtagMismatch { .. }
        | AppError::OutcomeUnknown
        | AppError::KeyReused
        | AppError::InProgress { .. }
        | AppError::Overloaded
        | AppError::Stopping
        | AppError::ProviderUnavailable(_)
        | AppError::Database(_)
        | AppError::Bug(_) => false,
    }
}

fn problem(error: &AppError) -> Problem {
    match error {
        AppError::NotFound { kind, name } => Problem::not_found(kind, name),
        AppError::EtagMismatch { kind, name } => Problem::etag_mismatch(kind, name),
        AppError::Declined { code } => coded(Reason::PaymentDeclined, "payment", code),
        AppError::CaptureRefused { code } => coded(Reason::CaptureRefused, "capture", code),
        AppError::RefundRefused { code } => coded(Reason::RefundRefused, "refund", code),
        AppError::PaymentExists(order) => Problem::new(
            Reason::PaymentExists,
            format!(
                "the order {order} has a live payment already, or this attempt for something else"
            ),
        ),
        AppError::PaymentVoided(order) => Problem::new(
            Reason::PaymentVoided,
            format!("the payment of the order {order} was voided"),
        ),
        AppError::Refused(refused) => of_refused(refused),
        AppError::OutcomeUnknown => outcome_unknown(),
        AppError::KeyReused => idempotency::Failure::<AppError>::KeyReused.into(),
        AppError::InProgress { retry_after } => idempotency::Failure::<AppError>::InProgress {
            retry_after: *retry_after,
        }
        .into(),
        AppError::Overloaded => {
            Problem::new(Reason::Overloaded, "too many calls are waiting").with_retry(TRY_AGAIN)
        }
        AppError::Stopping => Problem::unavailable("the service is stopping"),
        AppError::ProviderUnavailable(_) => {
            Problem::unavailable("the payment provider cannot be reached")
        }
        AppError::Database(error) if error.is_unavailable() || error.is_outcome_unknown() => {
            Problem::unavailable("the database cannot be reached")
        }
        AppError::Database(error) if error.is_transient() => Problem::new(
            Reason::Conflict,
            "another change was faster; repeat the call",
        )
        .with_retry(TRY_AGAIN),
        AppError::Database(_) | AppError::Bug(_) => Problem::internal(),
    }
}

/// The call's outcome is not known; the same key finds out.
pub fn outcome_unknown() -> Problem {
    Problem::new(
        Reason::OutcomeUnknown,
        "the payment provider's answer is not known yet; the same call finds out",
    )
    .with_retry(ASK_AGAIN)
}

fn coded(reason: Reason, what: &str, code: &str) -> Problem {
    Problem::new(
        reason,
        format!("the payment provider refused the {what}: {code}"),
    )
    .with_metadata("decline_code", code)
}

fn of_refused(refused: &Refused) -> Problem {
    let says = refused.to_string();
    match refused {
        Refused::IllegalTransition { state, .. } => {
            Problem::new(Reason::IllegalTransition, says).with_metadata("state", state.name())
        }
        Refused::CurrencyMismatch { .. } => Problem::new(Reason::CurrencyMismatch, says),
        Refused::CaptureExceedsAuthorized { left } => {
            Problem::new(Reason::CaptureExceedsAuthorized, says)
                .with_metadata("left_minor", left.minor().to_string())
        }
        Refused::RefundExceedsCaptured { left } => {
            Problem::new(Reason::RefundExceedsCaptured, says)
                .with_metadata("left_minor", left.minor().to_string())
        }
        Refused::Busy => Problem::new(Reason::Conflict, says).with_retry(TRY_AGAIN),
        Refused::OutcomeUnknown => outcome_unknown(),
    }
}

fn log_cause(error: &AppError) {
    match error {
        AppError::Database(cause) if cause.is_unavailable() || cause.is_transient() => {
            tracing::warn!(error = %cause, "the database did not do it");
        }
        AppError::Database(_) | AppError::Bug(_) => {
            tracing::error!(%error, reason = Reason::Internal.code(), "a call failed");
        }
        AppError::ProviderUnavailable(why) => {
            tracing::warn!(error = why, "the provider cannot be reached");
        }
        AppError::NotFound { .. }
        | AppError::EtagMismatch { .. }
        | AppError::Declined { .. }
        | AppError::PaymentExists(_)
        | AppError::PaymentVoided(_)
        | AppError::CaptureRefused { .. }
        | AppError::RefundRefused { .. }
        | AppError::Refused(_)
        | AppError::OutcomeUnknown
        | AppError::KeyReused
        | AppError::InProgress { .. }
        | AppError::Overloaded
        | AppError::Stopping => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_of_the_database_tells_of_sql_or_hosts() {
        for cause in testkit::database_errors() {
            let problem = Problem::from(AppError::Database(cause.into()));
            testkit::assert_tells_nothing(&format!("{:?}", tonic::Status::from(problem)));
        }
    }
}
