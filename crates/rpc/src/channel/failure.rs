//! What is wrong with a connection, as a status.

use std::{error::Error as StdError, sync::Arc};

use h2::Reason;
use tonic::{Code, Status};

/// The error stays its source, for [`never_arrived`].
pub(super) fn status(error: hyper::Error) -> Status {
    let code = reset_reason(&error).map_or(Code::Unavailable, code);
    let mut status = Status::new(code, told(&error));
    status.set_source(Arc::new(error));
    status
}

/// hyper tells the kind of an error only, its sources the rest.
fn told(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Of a stream that the peer has ended on a connection that goes on.
fn reset_reason(error: &hyper::Error) -> Option<Reason> {
    let error = error.source()?.downcast_ref::<h2::Error>()?;
    let is_reset = error.is_reset() && error.is_remote();
    is_reset.then(|| error.reason()).flatten()
}

/// As gRPC's specification for HTTP/2 has it.
fn code(reason: Reason) -> Code {
    match reason {
        Reason::REFUSED_STREAM => Code::Unavailable,
        Reason::CANCEL => Code::Cancelled,
        Reason::ENHANCE_YOUR_CALM => Code::ResourceExhausted,
        Reason::INADEQUATE_SECURITY => Code::PermissionDenied,
        _ => Code::Internal,
    }
}

/// True when the error shows that no handler saw the request.
pub(crate) fn never_arrived(status: &Status) -> bool {
    let mut cause = status.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<hyper::Error>()
            && error.is_canceled()
        {
            return true;
        }
        if let Some(error) = error.downcast_ref::<h2::Error>()
            && (error.reason() == Some(Reason::REFUSED_STREAM)
                || error.is_go_away() && error.reason() == Some(Reason::NO_ERROR))
        {
            return true;
        }
        cause = error.source();
    }
    false
}
