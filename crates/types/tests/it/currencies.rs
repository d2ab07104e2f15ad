use proptest::prelude::*;
use types::{Currency, ParseCurrencyError};

#[test]
fn a_currency_knows_its_exponent() {
    let table = [
        ("JPY", 0),
        ("KRW", 0),
        ("GBP", 2),
        ("USD", 2),
        ("EUR", 2),
        ("BHD", 3),
        ("KWD", 3),
        ("CLF", 4),
    ];
    for (code, exponent) in table {
        let currency = Currency::parse(code).unwrap();
        assert_eq!((currency.code(), currency.exponent()), (code, exponent));
    }
}

#[test]
fn what_is_no_code_is_refused() {
    for code in ["", "gbp", "Gbp", "GB", "GBPP", " GBP", "ABC", "826", "£"] {
        assert_eq!(Currency::parse(code), Err(ParseCurrencyError::Unknown));
    }
}

#[test]
fn gold_and_the_absence_of_a_currency_are_no_currencies() {
    for code in ["XAU", "XXX", "XDR"] {
        let refused = Currency::parse(code).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!("must be a currency with a minor unit, {code} has none")
        );
    }
}

#[test]
fn a_currency_is_its_code_in_json() {
    let currency = Currency::parse("BHD").unwrap();
    assert_eq!(serde_json::to_string(&currency).unwrap(), "\"BHD\"");
    assert_eq!(
        serde_json::from_str::<Currency>("\"BHD\"").unwrap(),
        currency
    );
    assert!(serde_json::from_str::<Currency>("\"bhd\"").is_err());
}

proptest! {
    #[test]
    fn a_parsed_code_is_given_back_unchanged(code in "\\PC{0,4}|[A-Z]{3}") {
        if let Ok(currency) = Currency::parse(&code) {
            prop_assert_eq!(currency.code(), code.as_str());
            prop_assert!(currency.exponent() <= 4);
        }
    }
}
