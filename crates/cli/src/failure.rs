//! Why a command did not do what it was asked, told so that one knows which
//! field to change or whom to call.

use std::{error::Error as StdError, fmt, io};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::exit::Exit;

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What was typed, or a file that was named, is wrong.
    #[error("{0}")]
    BadInput(String),
    /// What was asked was carried out, and the result is not as it must be.
    #[error("{0}")]
    Mismatch(String),
    /// What was asked for is not there.
    #[error("{0}")]
    Refused(String),
    /// Who was asked is not there.
    #[error("{0}")]
    Unavailable(String),
    #[error(transparent)]
    Call(Box<CallFailure>),
    /// The answer of a service could not be understood.
    #[error("{0}")]
    Internal(String),
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
}

/// A call that a service refused, or did not answer.
#[derive(Debug)]
pub struct CallFailure {
    /// For example "order-service".
    pub service: &'static str,
    pub url: String,
    pub status: Status,
    /// The idempotency key of a change.
    pub key: Option<String>,
}

impl Failure {
    pub fn exit(&self) -> Exit {
        match self {
            Self::BadInput(_) => Exit::BadInput,
            Self::Mismatch(_) => Exit::Mismatch,
            Self::Refused(_) => Exit::Refused,
            Self::Unavailable(_) => Exit::Unavailable,
            Self::Call(call) => Exit::of(call.status.code()),
            Self::Internal(_) | Self::Output(_) => Exit::Internal,
        }
    }

    /// True when nobody reads our output any more, as in `cartwright … | head`.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    pub fn status(&self) -> Option<&Status> {
        match self {
            Self::Call(call) => Some(&call.status),
            _ => None,
        }
    }
}

impl CallFailure {
    /// One line for each thing that is wrong with a field or stands in the way.
    pub fn particulars(&self) -> Vec<String> {
        particulars(&self.status.get_error_details(), self.status.message())
    }

    /// One line for each thing that stands in the way, such as a short line.
    pub fn preconditions(&self) -> Vec<String> {
        preconditions(&self.status.get_error_details())
    }

    /// The stable reason, or the gRPC code where there is none.
    pub fn reason(&self) -> String {
        let details = self.status.get_error_details();
        details.error_info().map_or_else(
            || format!("{:?}", self.status.code()),
            |info| info.reason.clone(),
        )
    }

    fn is_unreachable(&self) -> bool {
        let mut cause = self.status.source();
        while let Some(error) = cause {
            if error.downcast_ref::<io::Error>().is_some()
                || error.to_string().contains("tcp connect error")
                || error.to_string().contains("dns error")
            {
                return true;
            }
            cause = error.source();
        }
        false
    }

    fn headline(&self) -> String {
        let (service, url) = (self.service, &self.url);
        if self.status.code() == Code::Unavailable && self.is_unreachable() {
            return format!("{service} at {url} cannot be reached: is it running? (make up)");
        }
        let verdict = match Exit::of(self.status.code()) {
            Exit::Refused => "refused",
            Exit::BadInput => "bad input",
            Exit::Forbidden => "forbidden",
            Exit::Unavailable => "not available",
            Exit::Done | Exit::Mismatch | Exit::Internal => "failed",
        };
        let details = self.status.get_error_details();
        let message = match details
            .bad_request()
            .map_or(0, |bad| bad.field_violations.len())
        {
            0 | 1 => self.status.message().to_owned(),
            fields => format!("{fields} fields are wrong"),
        };
        format!("{verdict} by {service}: {}: {message}", self.reason())
    }

    /// What to do about it, if that is to show who one is.
    fn advice(&self) -> Option<&'static str> {
        (self.status.code() == Code::Unauthenticated).then_some(
            "Run `cartwright login`, or bring a token by --token-file or CARTWRIGHT_TOKEN.",
        )
    }

    /// True when the change may or may not have been made.
    fn is_unknown(&self) -> bool {
        rpc::Remote::from(&self.status).is_transient()
    }
}

impl fmt::Display for CallFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        for line in self.particulars() {
            write!(f, "\n  {line}")?;
        }
        if let Some(advice) = self.advice() {
            write!(f, "\n{advice}")?;
        }
        match &self.key {
            Some(key) if self.is_unknown() => write!(
                f,
                "\nThe outcome may be unknown. Repeat the same command with --idempotency-key {key}: \
                 it is not carried out twice."
            ),
            _ => Ok(()),
        }
    }
}

impl StdError for CallFailure {}

fn particulars(details: &ErrorDetails, message: &str) -> Vec<String> {
    let fields = details.bad_request().map(|bad| &bad.field_violations);
    let fields = fields.into_iter().flatten();
    let mut lines: Vec<String> = fields
        .map(|violation| format!("{}: {}", violation.field, violation.description))
        .collect();
    lines.extend(preconditions(details));
    let resource = details.resource_info();
    if let Some(resource) = resource.filter(|one| !message.contains(&one.resource_name)) {
        lines.push(format!(
            "{}: {}",
            resource.resource_type, resource.resource_name
        ));
    }
    if let Some(info) = details.error_info() {
        let named = details
            .precondition_failure()
            .map(|failed| &failed.violations);
        let is_told = |key: &str| {
            let mut named = named.into_iter().flatten();
            named.any(|violation| key.ends_with(&violation.subject))
        };
        let metadata = info.metadata.iter().filter(|(key, _)| !is_told(key));
        let mut metadata: Vec<_> = metadata.collect();
        metadata.sort();
        lines.extend(
            metadata
                .into_iter()
                .map(|(key, value)| format!("{key}: {value}")),
        );
    }
    if let Some(delay) = details.retry_info().and_then(|retry| retry.retry_delay) {
        lines.push(format!("try again in {delay:?}"));
    }
    lines.retain(|line| line != message);
    lines
}

fn preconditions(details: &ErrorDetails) -> Vec<String> {
    let failed = details.precondition_failure();
    let violations = failed.into_iter().flat_map(|failed| &failed.violations);
    let lines =
        violations.map(|violation| format!("{}: {}", violation.subject, violation.description));
    lines.collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panic")]
mod tests {
    use std::time::Duration;

    use rpc::{Problem, Reason};

    use super::*;

    fn failure(status: impl Into<Status>, key: Option<&str>) -> Failure {
        Failure::Call(Box::new(CallFailure {
            service: "order-service",
            url: "http://127.0.0.1:50051".to_owned(),
            status: status.into(),
            key: key.map(str::to_owned),
        }))
    }

    #[test]
    fn a_refusal_names_its_reason_and_every_short_line() {
        let problem = Problem::new(Reason::OutOfStock, "2 lines are short")
            .with_precondition("STOCK", "mug", "requested 5, available 2")
            .with_precondition("STOCK", "cup", "requested 1, available 0")
            .with_metadata("short.mug", "5/2")
            .with_metadata("order_id", "0190");
        let failure = failure(problem, Some("k"));
        assert_eq!(
            failure.to_string(),
            "refused by order-service: OUT_OF_STOCK: 2 lines are short\n  \
             mug: requested 5, available 2\n  cup: requested 1, available 0\n  order_id: 0190"
        );
        assert_eq!(failure.exit(), Exit::Refused);
    }

    #[test]
    fn bad_input_names_the_field() {
        let problem = Problem::invalid("lines[0].quantity", "must be from 1 to 1000000, got 0");
        let failure = failure(problem, Some("k"));
        assert_eq!(
            failure.to_string(),
            "bad input by order-service: INVALID_FIELD: lines[0].quantity: \
             must be from 1 to 1000000, got 0"
        );
        assert_eq!(failure.exit(), Exit::BadInput);
    }

    #[test]
    fn each_of_several_wrong_fields_has_a_line() {
        let mut fields = rpc::Fields::default();
        fields.refuse("lines", "must be 1 to 1000 lines");
        fields.refuse("customer_id", "must not be empty");
        let problem = fields.finish::<()>(None).unwrap_err();
        assert_eq!(
            failure(problem, None).to_string(),
            "bad input by order-service: INVALID_FIELD: 2 fields are wrong\n  \
             lines: must be 1 to 1000 lines\n  customer_id: must not be empty"
        );
    }

    #[test]
    fn an_unknown_outcome_says_how_to_repeat_safely() {
        let text = failure(Problem::deadline_exceeded(), Some("cli:1")).to_string();
        assert!(text.contains("--idempotency-key cli:1"), "{text}");
        let text = failure(Problem::deadline_exceeded(), None).to_string();
        assert!(
            !text.contains("--idempotency-key"),
            "a read has no key: {text}"
        );
        let refused = Problem::new(Reason::PaymentDeclined, "no");
        let text = failure(refused, Some("cli:1")).to_string();
        assert!(
            !text.contains("--idempotency-key"),
            "a refusal is known: {text}"
        );
    }

    #[test]
    fn who_is_not_known_is_told_how_to_log_in() {
        let text = failure(Status::unauthenticated("who?"), None).to_string();
        assert!(text.contains("Run `cartwright login`"), "{text}");
        let text = failure(Status::permission_denied("no"), None).to_string();
        assert!(!text.contains("login"), "that would not help: {text}");
    }

    #[test]
    fn a_service_that_sheds_load_says_when_to_come_back() {
        let problem = Problem::new(Reason::Overloaded, "too many calls");
        let failure = failure(problem.with_retry(Duration::from_millis(250)), None);
        assert!(failure.to_string().ends_with("\n  try again in 250ms"));
        assert_eq!(failure.exit(), Exit::Unavailable);
    }

    #[test]
    fn every_kind_of_failure_has_its_exit_code() {
        let codes = |status: Status| failure(status, None).exit().code();
        assert_eq!(codes(Problem::not_found("order", 1).into()), 2);
        assert_eq!(codes(Problem::etag_mismatch("order", 1).into()), 2);
        assert_eq!(codes(Problem::internal().into()), 70);
        assert_eq!(codes(Status::permission_denied("no")), 77);
        assert_eq!(codes(Status::unauthenticated("who?")), 77);
        assert_eq!(Failure::Mismatch(String::new()).exit().code(), 1);
        assert_eq!(Failure::BadInput(String::new()).exit().code(), 64);
    }
}
