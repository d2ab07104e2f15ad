//! Stripe's form encoding, as the simulator reads it.

use payment_simulator::http::{form::Form, parse_create, parse_page};

const CARD: &[u8] = b"4242424242424242";

pub(crate) fn form(data: &[u8]) {
    for value in [b"description=" as &[u8], b"metadata[note]=", b"x="] {
        let with_card = [data, b"&", value, CARD].concat();
        assert!(Form::parse(&with_card).is_err(), "a card number got in");
    }
    let Ok(form) = Form::parse(data) else { return };
    assert_eq!(
        form.fingerprint("/a"),
        encoded_again(data).fingerprint("/a")
    );
    assert_ne!(form.fingerprint("/a"), form.fingerprint("/b"));
    if let Ok(create) = parse_create(form) {
        assert!(create.amount_minor >= 1);
        assert!(create.metadata.values().all(|value| !value.is_empty()));
    }
    let mut page = Form::parse(data).unwrap_or_else(|_| unreachable!("it was read before"));
    if let Ok(page) = parse_page(&mut page) {
        assert!((1..=100).contains(&page.limit));
    }
    let mut all = Form::parse(data).unwrap_or_else(|_| unreachable!("it was read before"));
    all.ignore(&[""]);
}

/// The same pairs, written another way.
fn encoded_again(data: &[u8]) -> Form {
    let mut other = form_urlencoded::Serializer::new(String::new());
    other.extend_pairs(form_urlencoded::parse(data));
    Form::parse(other.finish().as_bytes()).unwrap_or_else(|_| panic!("the same form"))
}
