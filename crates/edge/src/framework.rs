//! Answers in our form also where the framework answered.

use http::HeaderMap;
use rpc::Problem;
use tonic::{Code, Status};

/// tonic answers for a message that it cannot take before any handler sees it,
/// with codes that would blame the server.
pub(crate) fn problem(headers: &HeaderMap) -> Option<Problem> {
    let status = Status::from_header_map(headers)?;
    if !status.details().is_empty() {
        return None;
    }
    let says = |part: &str| status.message().contains(part);
    let too_large = says("message length too large") || says("exceeded while decompressing");
    let malformed = says("decode Protobuf message")
        || says("invalid compression flag")
        || says("compressed-flag but no grpc-encoding")
        || says("Unexpected EOF decoding stream")
        || says("Error decompressing")
        || says("Missing request message");
    match status.code() {
        Code::OutOfRange | Code::ResourceExhausted if too_large => Some(Problem::invalid(
            "message",
            "must be at most 4 MiB; send less at once",
        )),
        Code::Internal if malformed => Some(Problem::invalid(
            "message",
            "must be protobuf of the method's request",
        )),
        _ => None,
    }
}
