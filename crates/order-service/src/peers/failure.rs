//! What a peer's error means for the saga: no for good, or not now.

use std::time::Duration;

use prost::Message;
use rpc::Remote;
use tonic_types::StatusExt;

use crate::domain::{Refusal, Violation};

/// The outcome is open, or the peer cannot act now: to be asked again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// For operators; no personal data.
    pub message: String,
    pub retry_after: Option<Duration>,
}

#[derive(Debug, Clone)]
pub(super) enum Failure {
    Refused(Refusal),
    Later(Trouble),
}

impl Failure {
    pub(super) fn later(message: impl Into<String>) -> Self {
        Self::Later(Trouble {
            message: message.into(),
            retry_after: None,
        })
    }

    /// Where a no leaves as much to do as no answer.
    pub(super) fn trouble(self) -> Trouble {
        match self {
            Self::Later(trouble) => trouble,
            Self::Refused(refusal) => Trouble {
                message: format!("{}: {}", refusal.code, refusal.message),
                retry_after: None,
            },
        }
    }

    pub(super) fn is_refused_for(&self, code: &str) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.code == code)
    }
}

impl From<tonic::Status> for Failure {
    /// Only an error that bears one of our own reasons is a definite no: what a
    /// proxy or a half-started peer says is not.
    fn from(status: tonic::Status) -> Self {
        let remote = Remote::from(&status);
        match remote.reason {
            Some(reason) if !remote.is_transient() => Self::Refused(Refusal {
                code: reason.code().to_owned(),
                message: remote.message,
                metadata: sorted(remote.metadata),
                violations: violations(&status),
            }),
            Some(_) => Self::Later(Trouble {
                message: format!("{:?}: {}", remote.code, remote.message),
                retry_after: remote.retry_after,
            }),
            // Words of a network or a proxy, with hosts in them perhaps: the
            // trouble is kept with the order and shown, so they end here.
            None => {
                tracing::warn!(error = remote.message, "a peer gave no answer of its own");
                Self::later(format!(
                    "{:?}: the peer gave no answer of its own",
                    remote.code
                ))
            }
        }
    }
}

impl From<tonic_types::pb::Status> for Failure {
    fn from(status: tonic_types::pb::Status) -> Self {
        let code = tonic::Code::from_i32(status.code);
        let details = status.encode_to_vec();
        tonic::Status::with_details(code, status.message, details.into()).into()
    }
}

impl From<batch::GatherError> for Failure {
    fn from(error: batch::GatherError) -> Self {
        Self::later(error.to_string())
    }
}

fn sorted(metadata: std::collections::HashMap<String, String>) -> Vec<(String, String)> {
    let mut metadata: Vec<_> = metadata.into_iter().collect();
    metadata.sort();
    metadata
}

fn violations(status: &tonic::Status) -> Vec<Violation> {
    let details = status.get_error_details();
    let Some(failure) = details.precondition_failure() else {
        return Vec::new();
    };
    let violations = failure.violations.iter();
    violations
        .map(|violation| Violation {
            kind: violation.r#type.clone(),
            subject: violation.subject.clone(),
            description: violation.description.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "tests fail by panic")]

    use super::*;

    #[test]
    fn what_a_network_says_of_hosts_is_not_kept() {
        let said = "tcp connect error: 10.0.0.7:50052 (payment.shop.svc): refused";
        let status = tonic::Status::unavailable(said);
        let Failure::Later(trouble) = Failure::from(status) else {
            panic!("no answer is no refusal");
        };
        assert_eq!(
            trouble.message,
            "Unavailable: the peer gave no answer of its own"
        );
    }

    #[test]
    fn what_a_peer_itself_says_is_kept() {
        let problem = rpc::Problem::unavailable("the payment provider cannot be reached");
        let Failure::Later(trouble) = Failure::from(tonic::Status::from(problem)) else {
            panic!("unavailable is no refusal");
        };
        assert_eq!(
            trouble.message,
            "Unavailable: the payment provider cannot be reached"
        );
        assert!(trouble.retry_after.is_some());
    }
}
