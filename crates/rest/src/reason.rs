//! The HTTP status of each reason.

use api::common::v1::ErrorReason as Reason;
use http::StatusCode;
use tonic::Code;

/// A reason from its text, as `ErrorInfo` carries it.
pub(crate) fn parse(text: &str) -> Option<Reason> {
    Reason::from_str_name(&format!("ERROR_REASON_{text}"))
}

/// Bad input 400, values that do not go together 422, business refusal 409,
/// lost race 409 or 412, try later 429 or 503.
pub(crate) fn status(reason: Reason) -> StatusCode {
    match reason {
        Reason::InvalidField | Reason::IdempotencyKeyInvalid => StatusCode::BAD_REQUEST,
        // Each value is what it must be; they do not go together.
        Reason::IdempotencyKeyReused
        | Reason::PageTokenInvalid
        | Reason::AmountOverflow
        | Reason::CurrencyMismatch => StatusCode::UNPROCESSABLE_ENTITY,
        Reason::Unauthenticated => StatusCode::UNAUTHORIZED,
        Reason::ScopeMissing => StatusCode::FORBIDDEN,
        Reason::NotFound | Reason::UnknownMethod => StatusCode::NOT_FOUND,
        Reason::EtagMismatch => StatusCode::PRECONDITION_FAILED,
        Reason::IdempotencyInProgress
        | Reason::Conflict
        | Reason::IllegalTransition
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
        | Reason::RefundRefused => StatusCode::CONFLICT,
        Reason::Overloaded | Reason::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Reason::OutcomeUnknown | Reason::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Reason::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Reason::Internal | Reason::Unspecified => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// For answers without an `ErrorInfo`, which only the framework gives.
pub(crate) fn of_code(code: Code) -> Reason {
    match code {
        Code::InvalidArgument | Code::OutOfRange => Reason::InvalidField,
        Code::NotFound => Reason::NotFound,
        Code::Unauthenticated => Reason::Unauthenticated,
        Code::PermissionDenied => Reason::ScopeMissing,
        Code::Unimplemented => Reason::UnknownMethod,
        Code::Aborted | Code::AlreadyExists | Code::FailedPrecondition => Reason::Conflict,
        Code::ResourceExhausted => Reason::Overloaded,
        Code::Unavailable | Code::Cancelled => Reason::Unavailable,
        Code::DeadlineExceeded => Reason::DeadlineExceeded,
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => Reason::Internal,
    }
}

/// For people: `OUT_OF_STOCK` is "Out of stock".
pub(crate) fn title(reason: Reason) -> String {
    let words = reason.code().to_ascii_lowercase().replace('_', " ");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => words,
    }
}
