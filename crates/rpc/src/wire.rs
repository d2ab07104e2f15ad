//! Errors as they go over the wire: the same bytes for the same error, and no
//! more of them than clients take.
//!
//! A status travels in HTTP/2 headers. A client that gets more of those than
//! it allows (8 KiB with some, 16 KiB with most) does not see the error but a
//! broken connection, and all its other calls break with it. So a single call
//! names as many lines as fit, and says how many it left out. The results of
//! batches, and kept answers, are messages and carry everything.

use std::collections::BTreeMap;

use prost::Message;
use prost_types::Any;
use tonic::{Code, Status};
use tonic_types::pb;

/// Of the encoded status, which as a header grows by a third.
const BYTES_MAX: usize = 4_000;
/// Sent beside it once more, in which form a byte may take three.
const MESSAGE_BYTES_MAX: usize = 500;
const ENTRIES_AT_FIRST: usize = 256;
const OMITTED: &str = "omitted";

/// `google.rpc.ErrorInfo` with its metadata in order: a replay must give the
/// bytes that the first answer gave.
#[derive(Clone, PartialEq, prost::Message)]
struct ErrorInfo {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, tag = "2")]
    domain: String,
    #[prost(btree_map = "string, string", tag = "3")]
    metadata: BTreeMap<String, String>,
}

/// The same error with its metadata in order.
pub(crate) fn ordered(mut status: pb::Status) -> pb::Status {
    for detail in &mut status.details {
        change(detail, "ErrorInfo", |_: &mut ErrorInfo| {});
    }
    status
}

/// The status of a single call, cut to what every client takes.
pub(crate) fn to_wire(status: &pb::Status) -> Status {
    let mut fitting = status.clone();
    fitting.message = shortened(&status.message);
    let mut entries = Some(ENTRIES_AT_FIRST);
    while let Some(most) = entries.filter(|_| fitting.encoded_len() > BYTES_MAX) {
        fitting.details = cut(&status.details, most);
        entries = (most > 0).then_some(most / 2);
    }
    let details = fitting.encode_to_vec();
    Status::with_details(Code::from_i32(status.code), fitting.message, details.into())
}

fn shortened(message: &str) -> String {
    match message.len() > MESSAGE_BYTES_MAX {
        true => {
            let end = message.floor_char_boundary(MESSAGE_BYTES_MAX);
            format!("{} ...", &message[..end])
        }
        false => message.to_owned(),
    }
}

fn cut(details: &[Any], entries: usize) -> Vec<Any> {
    let mut details = details.to_vec();
    for detail in &mut details {
        change(detail, "ErrorInfo", |info: &mut ErrorInfo| {
            if let Some(first) = info.metadata.keys().nth(entries).cloned() {
                let rest = info.metadata.split_off(&first).len();
                info.metadata.insert(OMITTED.to_owned(), rest.to_string());
            }
        });
        change(detail, "BadRequest", |bad: &mut pb::BadRequest| {
            bad.field_violations.truncate(entries);
        });
        change(
            detail,
            "PreconditionFailure",
            |failure: &mut pb::PreconditionFailure| {
                failure.violations.truncate(entries);
            },
        );
    }
    details
}

fn change<M: Message + Default>(detail: &mut Any, name: &str, change: impl FnOnce(&mut M)) {
    if detail.type_url.ends_with(&format!("google.rpc.{name}"))
        && let Ok(mut message) = M::decode(detail.value.as_slice())
    {
        change(&mut message);
        detail.value = message.encode_to_vec();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::{Problem, Reason, Remote};

    fn short(lines: usize) -> Problem {
        let problem = Problem::new(Reason::OutOfStock, "short ".repeat(lines));
        (0..lines).fold(problem, |problem, line| {
            problem
                .with_precondition(
                    "STOCK",
                    format!("SKU {line:04}"),
                    "requested 1, available 0",
                )
                .with_metadata(format!("short.SKU {line:04}"), "1/0")
        })
    }

    #[test]
    fn an_error_that_fits_is_sent_as_it_is() {
        let problem = short(10);
        let status = Status::from(problem.clone());
        assert_eq!(status.details(), problem.to_pb().encode_to_vec());
        assert_eq!(Remote::from(&status).metadata.len(), 10);
    }

    #[test]
    fn a_long_error_is_cut_and_says_so() {
        let status = Status::from(short(1_000));
        assert!(status.details().len() <= BYTES_MAX);
        let remote = Remote::from(&status);
        assert_eq!(remote.reason, Some(Reason::OutOfStock));
        assert_eq!(remote.metadata["short.SKU 0000"], "1/0");
        let omitted: usize = remote.metadata[OMITTED].parse().unwrap();
        assert_eq!(omitted + remote.metadata.len() - 1, 1_000);
        let whole = Remote::from(&short(1_000).to_pb());
        assert_eq!(whole.metadata.len(), 1_000);
    }

    #[test]
    fn an_error_with_one_entry_that_is_too_long_goes_without_it() {
        let text = "\u{fffd}".repeat(2_000);
        let problem = Problem::invalid(text.as_str(), text.as_str()).with_metadata("text", &text);
        let status = Status::from(problem);
        assert!(status.details().len() <= BYTES_MAX);
        let remote = Remote::from(&status);
        assert_eq!(remote.reason, Some(Reason::InvalidField));
        assert_eq!(remote.metadata[OMITTED], "1");
    }

    #[test]
    fn the_same_error_has_the_same_bytes() {
        let bytes = |problem: Problem| problem.to_pb().encode_to_vec();
        assert_eq!(bytes(short(20)), bytes(short(20)));
        let sent = |problem: Problem| Status::from(problem).details().to_vec();
        assert_eq!(sent(short(500)), sent(short(500)));
    }
}
