//! The one error of the edge: a stable reason, and what the caller needs to
//! act on it.

use std::{collections::HashMap, fmt, time::Duration};

use prost::Message;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, PreconditionViolation, StatusExt};

use crate::{Reason, wire};

/// The domain of every `ErrorInfo`.
pub(crate) const DOMAIN: &str = "cartwright";

/// Why a call is refused. Its gRPC code follows from its reason.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    reason: Reason,
    message: String,
    fields: Vec<FieldViolation>,
    preconditions: Vec<PreconditionViolation>,
    metadata: HashMap<String, String>,
    retry_after: Option<Duration>,
    resource: Option<(&'static str, String)>,
}

impl Problem {
    /// `message` is shown to the caller: nothing of our tables, hosts or
    /// people's data.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            reason,
            message: message.into(),
            fields: Vec::new(),
            preconditions: Vec::new(),
            metadata: HashMap::new(),
            retry_after: None,
            resource: None,
        }))
    }

    /// One field is wrong.
    pub fn invalid(field: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::violations(vec![FieldViolation::new(field, expected)])
    }

    pub(crate) fn violations(fields: Vec<FieldViolation>) -> Self {
        Self::of_fields(Reason::InvalidField, fields)
    }

    pub(crate) fn of_fields(reason: Reason, fields: Vec<FieldViolation>) -> Self {
        let message = fields
            .iter()
            .map(|field| format!("{}: {}", field.field, field.description))
            .collect::<Vec<_>>()
            .join("; ");
        let mut problem = Self::new(reason, message);
        problem.0.fields = fields;
        problem
    }

    pub fn not_found(kind: &'static str, name: impl ToString) -> Self {
        let name = name.to_string();
        let mut problem = Self::new(Reason::NotFound, format!("no {kind} {name}"));
        problem.0.resource = Some((kind, name));
        problem
    }

    pub fn etag_mismatch(kind: &'static str, name: impl ToString) -> Self {
        let name = name.to_string();
        let message = format!("the {kind} {name} changed since the etag was read; read it again");
        let mut problem = Self::new(Reason::EtagMismatch, message);
        problem.0.resource = Some((kind, name));
        problem
    }

    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Reason::Unavailable, message).with_retry(Duration::from_millis(500))
    }

    /// A bug. The cause belongs into the log, not in here.
    pub fn internal() -> Self {
        Self::new(Reason::Internal, "internal error; the log has the cause")
    }

    pub fn deadline_exceeded() -> Self {
        Self::new(
            Reason::DeadlineExceeded,
            "the deadline passed; the same idempotency key tells what became of it",
        )
    }

    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.metadata.insert(key.into(), value.into());
        self
    }

    pub fn with_precondition(
        mut self,
        kind: impl Into<String>,
        subject: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        self.0
            .preconditions
            .push(PreconditionViolation::new(kind, subject, description));
        self
    }

    pub fn with_retry(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    pub fn reason(&self) -> Reason {
        self.0.reason
    }

    pub fn message(&self) -> &str {
        &self.0.message
    }

    pub fn code(&self) -> Code {
        code(self.0.reason)
    }

    /// For the result of one item of a batch.
    pub fn to_pb(&self) -> tonic_types::pb::Status {
        let status =
            Status::with_error_details(self.code(), self.0.message.as_str(), self.details());
        let decoded = tonic_types::pb::Status::decode(status.details());
        wire::ordered(decoded.unwrap_or_else(|_| tonic_types::pb::Status {
            code: self.code() as i32,
            message: self.0.message.clone(),
            details: Vec::new(),
        }))
    }

    /// For the answer kept under an idempotency key.
    pub fn saved(&self) -> idempotency::Saved {
        idempotency::Saved {
            code: self.code() as i32,
            body: self.to_pb().encode_to_vec(),
        }
    }

    fn details(&self) -> ErrorDetails {
        let mut details =
            ErrorDetails::with_error_info(self.0.reason.code(), DOMAIN, self.0.metadata.clone());
        if !self.0.fields.is_empty() {
            details.set_bad_request(self.0.fields.clone());
        }
        if !self.0.preconditions.is_empty() {
            details.set_precondition_failure(self.0.preconditions.clone());
        }
        if self.0.retry_after.is_some() {
            details.set_retry_info(self.0.retry_after);
        }
        if let Some((kind, name)) = &self.0.resource {
            details.set_resource_info(*kind, name, "", "");
        }
        details
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.reason.code(), self.0.message)
    }
}

impl std::error::Error for Problem {}

impl From<Problem> for Status {
    fn from(problem: Problem) -> Self {
        wire::to_wire(&problem.to_pb())
    }
}

impl<E: Into<Problem>> From<idempotency::Failure<E>> for Problem {
    fn from(failure: idempotency::Failure<E>) -> Self {
        match failure {
            idempotency::Failure::KeyReused => Self::new(
                Reason::IdempotencyKeyReused,
                "the idempotency key was used for another request",
            ),
            idempotency::Failure::InProgress { retry_after } => Self::new(
                Reason::IdempotencyInProgress,
                "the first call with this idempotency key still runs",
            )
            .with_retry(retry_after),
            idempotency::Failure::Refused(error) => error.into(),
        }
    }
}

/// The gRPC code of each reason: bad input, business refusal, lost race, try
/// later, bug.
fn code(reason: Reason) -> Code {
    match reason {
        Reason::InvalidField
        | Reason::IdempotencyKeyInvalid
        | Reason::IdempotencyKeyReused
        | Reason::PageTokenInvalid
        | Reason::AmountOverflow
        | Reason::CurrencyMismatch => Code::InvalidArgument,
        Reason::NotFound => Code::NotFound,
        Reason::Unauthenticated => Code::Unauthenticated,
        Reason::ScopeMissing => Code::PermissionDenied,
        Reason::UnknownMethod => Code::Unimplemented,
        Reason::IdempotencyInProgress | Reason::EtagMismatch | Reason::Conflict => Code::Aborted,
        Reason::IllegalTransition
        | Reason::OutOfStock
        | Reason::UnknownSku
        | Reason::UnknownLocation
        | Reason::ReservationExpired
        | Reason::ReservationReleased
        | Reason::ReservationDiffers
        | Reason::StockCommitted
        | Reason::InsufficientStock
        | Reason::TotalMismatch
        | Reason::PriceMissing
        | Reason::ExceedsRemaining
        | Reason::PaymentDeclined
        | Reason::PaymentExists
        | Reason::PaymentVoided
        | Reason::CaptureExceedsAuthorized
        | Reason::CaptureRefused
        | Reason::RefundExceedsCaptured
        | Reason::RefundRefused => Code::FailedPrecondition,
        Reason::Overloaded | Reason::RateLimited => Code::ResourceExhausted,
        Reason::OutcomeUnknown | Reason::Unavailable => Code::Unavailable,
        Reason::DeadlineExceeded => Code::DeadlineExceeded,
        Reason::Internal | Reason::Unspecified => Code::Internal,
    }
}
