//! Errors that peers send, and that we send on.

use prost::Message;
use rpc::{Problem, Reason, Remote};
use tonic::{Code, Status};
use tonic_types::pb;

use crate::text::lossy;

/// With most clients no more fits into the headers of an answer.
const HEADER_BYTES_MAX: usize = 8 * 1024;

/// The input is the encoded `google.rpc.Status` of a peer, and a text that an
/// error of ours could hold.
pub(crate) fn peer_error(data: &[u8]) {
    if let Ok(status) = pb::Status::decode(data) {
        let remote = Remote::from(&status);
        assert_eq!(remote.code, Code::from_i32(status.code));
        assert_eq!(remote.message, status.message);
        // Nothing is retried that is definite, whatever its details say.
        let definite = [
            Code::InvalidArgument,
            Code::NotFound,
            Code::FailedPrecondition,
        ];
        assert!(!(definite.contains(&remote.code) && remote.is_transient()));
    }
    let details = Status::with_details(Code::Internal, "", data.to_vec().into());
    let _ = Remote::from(&details);
    ours(&lossy(data));
}

/// Ours reach the caller, whatever text is in them.
fn ours(text: &str) {
    let problem = Problem::invalid(text, text)
        .with_metadata("text", text)
        .with_precondition("TEXT", text, text);
    let status = Status::from(problem);
    let headers = status.clone().into_http::<()>();
    let bytes = headers
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len());
    assert!(bytes.sum::<usize>() < HEADER_BYTES_MAX);
    let received = Status::from_header_map(headers.headers()).unwrap();
    assert_eq!(received.code(), Code::InvalidArgument);
    assert_eq!(received.message(), status.message());
    assert_eq!(Remote::from(&received).reason, Some(Reason::InvalidField));
}
