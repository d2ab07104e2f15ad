//! A peer's error, read back.

use std::{collections::HashMap, time::Duration};

use prost::Message;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::{Reason, problem::DOMAIN};

/// What a peer said when it did not do what we asked.
#[derive(Debug, Clone)]
pub struct Remote {
    pub code: Code,
    /// `None` when the error is not one of ours: transport, proxy, bug.
    pub reason: Option<Reason>,
    pub message: String,
    pub metadata: HashMap<String, String>,
    pub retry_after: Option<Duration>,
}

impl Remote {
    /// True when the outcome is open or the peer could not act: the same call
    /// with the same key may be sent again. False when the refusal is definite.
    pub fn is_transient(&self) -> bool {
        match self.code {
            Code::Unavailable
            | Code::DeadlineExceeded
            | Code::Cancelled
            | Code::Aborted
            | Code::ResourceExhausted
            | Code::Unknown
            | Code::Internal => true,
            Code::Ok
            | Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::FailedPrecondition
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::DataLoss
            | Code::Unauthenticated => false,
        }
    }
}

impl From<&Status> for Remote {
    fn from(status: &Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info().filter(|info| info.domain == DOMAIN);
        Self {
            code: status.code(),
            reason: info
                .and_then(|info| Reason::from_str_name(&format!("ERROR_REASON_{}", info.reason))),
            message: status.message().to_owned(),
            metadata: info.map(|info| info.metadata.clone()).unwrap_or_default(),
            retry_after: details.retry_info().and_then(|retry| retry.retry_delay),
        }
    }
}

impl From<&tonic_types::pb::Status> for Remote {
    fn from(status: &tonic_types::pb::Status) -> Self {
        Self::from(&to_status(status))
    }
}

/// The status of a whole call from that of one item or of a kept answer.
pub(crate) fn to_status(status: &tonic_types::pb::Status) -> Status {
    Status::with_details(
        Code::from_i32(status.code),
        status.message.clone(),
        status.encode_to_vec().into(),
    )
}
