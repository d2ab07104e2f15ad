//! What requests are made of: texts, amounts, counts, etags.

use api::common::v1 as pb;
use prost::Message;
use rpc::{Fields, Problem};
use types::Money;

use crate::{requests::names_each_field, text::lossy};

const CHARS_MAX: usize = 200;

pub(crate) fn fields(data: &[u8]) {
    let text = lossy(data);
    etag(&text);
    of_one_field(
        |fields| fields.text("field", &text, CHARS_MAX),
        |kept| {
            assert_eq!(kept, text);
            assert!(kept.chars().count() <= CHARS_MAX);
            assert!(!kept.chars().any(char::is_control));
        },
    );
    of_one_field(
        |fields| fields.count("field", data.len(), 1..=10),
        |()| {
            assert!((1..=10).contains(&data.len()));
        },
    );
    if let Ok(money) = pb::Money::decode(data) {
        let read = |fields: &mut Fields| fields.money("field", Some(&money));
        of_one_field(read, |read: Money| {
            let said = pb::Money::from(read);
            assert_eq!(
                (said.minor_units, said.currency_code),
                (money.minor_units, money.currency_code.clone())
            );
        });
    }
}

/// Whoever gives a version back gives the one that was read.
fn etag(text: &str) {
    let read = |fields: &mut Fields| fields.etag("field", text);
    of_one_field(read, |version| match version {
        None => assert!(text.is_empty()),
        Some(version) => {
            let mut fields = Fields::default();
            let again = fields.etag("field", &rpc::etag(version));
            assert_eq!(again, Some(Some(version)));
        }
    });
}

fn of_one_field<T>(read: impl FnOnce(&mut Fields) -> Option<T>, check: impl FnOnce(T)) {
    let mut fields = Fields::default();
    let value = read(&mut fields);
    match fields.finish(value) {
        Ok(value) => check(value),
        Err(problem) => refused(&problem),
    }
}

fn refused(problem: &Problem) {
    let named = names_each_field(problem);
    assert!(
        named.iter().all(|path| path.starts_with("field")),
        "{named:?}"
    );
}
