use std::collections::HashMap;

use proptest::prelude::*;
use types::{CustomerId, IdempotencyKey, LocationId, Sku};

#[test]
fn a_name_may_be_as_long_as_its_limit_and_no_longer() {
    let longest = "x".repeat(64);
    assert!(Sku::parse(&longest).is_ok());
    assert!(CustomerId::parse(&longest).is_ok());
    assert!(LocationId::parse(&longest).is_ok());
    assert!(IdempotencyKey::parse(&"x".repeat(255)).is_ok());

    let refused = Sku::parse(&"x".repeat(70)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "must be 1 to 64 printable ASCII characters, got 70"
    );
    let refused = IdempotencyKey::parse(&"x".repeat(256)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "must be 1 to 255 printable ASCII characters, got 256"
    );
    let refused = IdempotencyKey::parse("").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "must be 1 to 255 printable ASCII characters, got 0"
    );
}

#[test]
fn what_is_not_printable_ascii_is_named() {
    let refused = Sku::parse("85\t23A").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "must be 1 to 64 printable ASCII characters, character 3 is '\\t'"
    );
    for text in ["é", "a\nb", "\0", "\u{7f}", "a\u{a0}b"] {
        assert!(Sku::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn spaces_may_stand_inside_only() {
    assert_eq!(Sku::parse("BANK CHARGES").unwrap().as_str(), "BANK CHARGES");
    for text in [" ", " a", "a "] {
        let refused = Sku::parse(text).unwrap_err();
        assert_eq!(refused.to_string(), "must not begin or end with a space");
    }
}

#[test]
fn skus_that_differ_in_case_are_two() {
    assert_ne!(
        Sku::parse("15056BL").unwrap(),
        Sku::parse("15056bl").unwrap()
    );
}

#[test]
fn a_map_by_sku_is_asked_with_a_plain_text() {
    let map = HashMap::from([(Sku::parse("85123A").unwrap(), 6)]);
    assert_eq!(map.get("85123A"), Some(&6));
}

#[test]
fn json_is_checked_like_any_other_input() {
    let sku: Sku = serde_json::from_str("\"85123A\"").unwrap();
    assert_eq!(serde_json::to_string(&sku).unwrap(), "\"85123A\"");
    assert!(serde_json::from_str::<Sku>("\"\"").is_err());
}

proptest! {
    #[test]
    fn exactly_printable_ascii_within_the_limit_is_accepted(text in "\\PC{0,70}|[ -~]{0,70}|(?s).{0,5}") {
        let printable = text.bytes().all(|b| (b' '..=b'~').contains(&b));
        let expected = printable && (1..=64).contains(&text.len()) && text.trim() == text;
        let parsed = Sku::parse(&text);
        prop_assert_eq!(parsed.is_ok(), expected);
        if let Ok(sku) = parsed {
            prop_assert_eq!(sku.as_str(), text.as_str());
        }
    }
}
