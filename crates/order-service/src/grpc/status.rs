//! The one place that turns errors into statuses. The cause of a bug is logged
//! here, once, and is not sent.

use idempotency::{Refusal as Kept, Saved};
use rpc::{Problem, Reason};

use crate::app::Error;
use crate::domain::Refusal;

/// When to look again whether new orders are accepted.
const CLOSED_FOR: std::time::Duration = std::time::Duration::from_secs(10);

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        problem(&error)
    }
}

fn problem(error: &Error) -> Problem {
    match error {
        Error::NotFound { kind, name } => Problem::not_found(kind, name),
        Error::EtagMismatch(id) => Problem::etag_mismatch("order", id),
        Error::Refused(refusal) => refused(refusal),
        Error::Rejected { order_id, refusal } => {
            refused(refusal).with_metadata("order_id", order_id.to_string())
        }
        Error::Conflict => Problem::new(
            Reason::Conflict,
            "the order was changed by somebody else meanwhile; repeat the call",
        ),
        Error::NotAccepting => Problem::unavailable(
            "new orders are not accepted for now; repeat the call later, with the same key",
        )
        .with_retry(CLOSED_FOR),
        Error::Overloaded => Problem::new(Reason::Overloaded, "too much is waiting already")
            .with_retry(std::time::Duration::from_millis(500)),
        Error::InProgress { retry_after } => idempotency::Failure::<Problem>::InProgress {
            retry_after: *retry_after,
        }
        .into(),
        Error::KeyReused => idempotency::Failure::<Problem>::KeyReused.into(),
        Error::Peer(trouble) => {
            tracing::warn!(error = trouble.message, "a peer cannot be asked");
            Problem::unavailable("payment-service cannot be asked now")
        }
        Error::DeadlineExceeded => Problem::deadline_exceeded(),
        Error::Database(error) if error.is_unavailable() || error.is_transient() => {
            tracing::warn!(%error, "the database is unavailable");
            Problem::unavailable("the orders' database cannot be used now")
        }
        Error::Database(error) => {
            tracing::error!(%error, reason = Reason::Internal.code(), "database error");
            Problem::internal()
        }
        Error::Bug(what) => {
            tracing::error!(error = what, reason = Reason::Internal.code(), "bug");
            Problem::internal()
        }
    }
}

fn refused(refusal: &Refusal) -> Problem {
    let mut problem = Problem::new(reason(&refusal.code), refusal.message.clone());
    for (key, value) in &refusal.metadata {
        problem = problem.with_metadata(key, value);
    }
    for violation in &refusal.violations {
        let (kind, subject) = (&violation.kind, &violation.subject);
        problem = problem.with_precondition(kind, subject, &violation.description);
    }
    problem
}

/// The reasons of orders that are none of the API's speak of the same thing as
/// one that is.
fn reason(code: &str) -> Reason {
    match Reason::from_str_name(&format!("ERROR_REASON_{code}")) {
        Some(reason) => reason,
        None if code == "PAYMENT_ACTION_TIMEOUT" => Reason::PaymentDeclined,
        None => Reason::IllegalTransition,
    }
}

impl Error {
    /// The answer as it would be kept, whatever it is.
    pub fn answer(&self) -> Saved {
        problem(self).saved()
    }
}

impl Kept for Error {
    /// Definite refusals are kept; what may go better next time is not.
    fn saved(&self) -> Option<Saved> {
        match self {
            Error::Refused(refusal) => {
                let problem = refused(refusal);
                let definite = problem.code() == tonic::Code::FailedPrecondition;
                definite.then(|| problem.saved())
            }
            Error::Rejected { .. } => Some(self.answer()),
            Error::NotFound { .. }
            | Error::EtagMismatch(_)
            | Error::Conflict
            | Error::NotAccepting
            | Error::Overloaded
            | Error::InProgress { .. }
            | Error::KeyReused
            | Error::Peer(_)
            | Error::DeadlineExceeded
            | Error::Database(_)
            | Error::Bug(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_of_the_database_tells_of_sql_or_hosts() {
        for cause in testkit::database_errors() {
            let problem = Problem::from(Error::Database(cause.into()));
            testkit::assert_tells_nothing(&format!("{:?}", tonic::Status::from(problem)));
        }
    }
}
