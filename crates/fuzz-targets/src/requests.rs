//! Requests over gRPC: bytes into messages, messages into what the services
//! take. Each refusal names fields that the message really has.

use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};
use rpc::{Caller, Problem, Reason};
use tonic::{Code, Status};
use tonic_types::StatusExt;

static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(api::DESCRIPTORS).unwrap());

pub(crate) fn order(data: &[u8]) {
    let customer = Caller::token("customer-1", Default::default(), None).unwrap();
    for caller in [Caller::local(), customer] {
        check_all("order", order_service::every_request::read(data, &caller));
    }
}

pub(crate) fn payment(data: &[u8]) {
    check_all("payment", payment_service::every_request::read(data));
}

pub(crate) fn inventory(data: &[u8]) {
    check_all(
        "inventory",
        inventory_service::grpc::every_request::read(data),
    );
}

fn check_all(service: &str, read: Vec<(&str, Result<(), Problem>)>) {
    for (name, result) in read {
        let Err(problem) = result else { continue };
        match problem.reason() {
            Reason::InvalidField => {
                let message = POOL.get_message_by_name(&format!("cartwright.{service}.v1.{name}"));
                let message = message.unwrap();
                for path in names_each_field(&problem) {
                    assert!(is_field(&message, &path), "{name} has no field {path}");
                }
            }
            Reason::ScopeMissing | Reason::AmountOverflow => {}
            other => panic!("{name} was refused for {other:?}: {problem}"),
        }
    }
}

/// The fields that a refusal names; one at least, and what each must be.
pub(crate) fn names_each_field(problem: &Problem) -> Vec<String> {
    assert_eq!(problem.code(), Code::InvalidArgument);
    assert!(!problem.message().is_empty());
    let status = Status::from(problem.clone());
    let bad = status.get_details_bad_request().unwrap();
    let violations = bad.field_violations.into_iter();
    let fields: Vec<String> = violations
        .map(|violation| {
            assert!(!violation.description.is_empty(), "{}", violation.field);
            violation.field
        })
        .collect();
    assert!(!fields.is_empty(), "{problem}");
    fields
}

/// Whether `lines[3].unit_price.currency_code` can be followed. The name of a
/// oneof is good too: it is what is missing when none of its fields is set.
fn is_field(message: &MessageDescriptor, path: &str) -> bool {
    let (name, rest) = match path.split_once('.') {
        Some((name, rest)) => (name, Some(rest)),
        None => (path, None),
    };
    let (name, index) = match name.split_once('[') {
        Some((name, index)) => (name, index.strip_suffix(']')),
        None => (name, None),
    };
    let Some(field) = message.get_field_by_name(name) else {
        return rest.is_none() && message.oneofs().any(|oneof| oneof.name() == name);
    };
    if let Some(index) = index
        && (!field.is_list() || index.parse::<usize>().is_err())
    {
        return false;
    }
    match (rest, field.kind()) {
        (None, _) => true,
        (Some(rest), Kind::Message(inner)) => is_field(&inner, rest),
        (Some(_), _) => false,
    }
}
