//! The one place where errors become statuses, and where their cause is
//! logged.

use std::time::Duration;

use idempotency::Saved;
use rpc::{Problem, Reason};

use crate::{
    app::Error,
    domain::{Amiss, Refusal},
};

const OVERLOADED_RETRY: Duration = Duration::from_millis(200);

impl idempotency::Refusal for Error {
    fn saved(&self) -> Option<Saved> {
        match self {
            Self::Refused(refusal) if is_definite(refusal) => Some(problem(refusal).saved()),
            Self::Refused(_) | Self::Database(_) | Self::Overloaded | Self::BrokeDown => None,
        }
    }
}

/// Whether the same key gets this answer for good. What was not there, or was
/// read too early, may be asked for again.
fn is_definite(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::OutOfStock { .. }
        | Refusal::UnknownSku { .. }
        | Refusal::UnknownLocation(_)
        | Refusal::ReservationExpired(_)
        | Refusal::ReservationReleased(_)
        | Refusal::ReservationDiffers(_)
        | Refusal::IllegalTransition { .. }
        | Refusal::ExceedsRemaining { .. }
        | Refusal::StockCommitted { .. }
        | Refusal::InsufficientStock { .. } => true,
        Refusal::ItemNotFound(_)
        | Refusal::ReservationNotFound(_)
        | Refusal::EtagMismatch { .. } => false,
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => problem(&refusal),
            Error::Database(error) => unanswered(&error),
            Error::Overloaded => Problem::new(Reason::Overloaded, "too many calls are waiting")
                .with_retry(OVERLOADED_RETRY),
            // The cause was logged where it broke down.
            Error::BrokeDown => Problem::internal(),
        }
    }
}

fn unanswered(error: &database::Error) -> Problem {
    if error.is_transient() {
        return Problem::new(
            Reason::Conflict,
            "too many others change the same stock; repeat the call",
        )
        .with_retry(OVERLOADED_RETRY);
    }
    if error.is_unavailable() || error.is_outcome_unknown() {
        tracing::warn!(%error, "the database does not answer");
        return Problem::unavailable("the store cannot be reached; repeat the call");
    }
    tracing::error!(%error, reason = Reason::Internal.code(), "the database refused");
    Problem::internal()
}

fn problem(refusal: &Refusal) -> Problem {
    let new = |reason| Problem::new(reason, refusal.to_string());
    match refusal {
        Refusal::OutOfStock { short } => {
            with_lines(new(Reason::OutOfStock), "STOCK", "short", short)
        }
        Refusal::ExceedsRemaining { lines, .. } => {
            with_lines(new(Reason::ExceedsRemaining), "REMAINING", "exceeds", lines)
        }
        Refusal::UnknownSku { skus } => {
            skus.iter().fold(new(Reason::UnknownSku), |problem, sku| {
                problem.with_precondition("ITEM", sku.as_str(), "was never registered")
            })
        }
        Refusal::UnknownLocation(location_id) => new(Reason::UnknownLocation).with_precondition(
            "LOCATION",
            location_id.as_str(),
            "was never registered",
        ),
        Refusal::ItemNotFound(sku) => Problem::not_found("item", sku),
        Refusal::ReservationNotFound(order_id) => Problem::not_found("reservation", order_id),
        Refusal::ReservationExpired(_) => new(Reason::ReservationExpired),
        Refusal::ReservationReleased(_) => new(Reason::ReservationReleased),
        Refusal::ReservationDiffers(_) => new(Reason::ReservationDiffers),
        Refusal::IllegalTransition { from, .. } => {
            new(Reason::IllegalTransition).with_metadata("state", from.as_str())
        }
        Refusal::StockCommitted { promised, .. } => {
            new(Reason::StockCommitted).with_metadata("promised", promised.to_string())
        }
        Refusal::InsufficientStock {
            requested,
            available,
            ..
        } => new(Reason::InsufficientStock)
            .with_metadata("requested", requested.to_string())
            .with_metadata("available", available.to_string()),
        Refusal::EtagMismatch { kind, name } => Problem::etag_mismatch(kind, name),
    }
}

/// Names each line, for people and for programs.
fn with_lines(problem: Problem, kind: &str, prefix: &str, lines: &[Amiss]) -> Problem {
    lines.iter().fold(problem, |problem, line| {
        let (requested, available) = (line.requested, line.available);
        problem
            .with_precondition(
                kind,
                line.sku.as_str(),
                format!("requested {requested}, available {available}"),
            )
            .with_metadata(
                format!("{prefix}.{}", line.sku),
                format!("{requested}/{available}"),
            )
    })
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
