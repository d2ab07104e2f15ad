use proptest::prelude::*;
use types::{Currency, Money, MoneyError, ParseMoneyError, Quantity};

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

fn money(minor: i64, code: &str) -> Money {
    Money::new(minor, currency(code))
}

fn any_currency() -> impl Strategy<Value = Currency> {
    prop::sample::select(vec!["JPY", "GBP", "EUR", "BHD", "CLF"]).prop_map(currency)
}

/// Amounts of every size; the largest ones come up often.
fn any_minor() -> impl Strategy<Value = i64> {
    prop_oneof![
        any::<i64>(),
        -10_000..10_000_i64,
        Just(i64::MIN),
        Just(i64::MAX),
    ]
}

fn any_quantity() -> impl Strategy<Value = Quantity> {
    (1..=Quantity::MAX).prop_map(|count| Quantity::try_from(count).unwrap())
}

/// What exact arithmetic says, or that it does not fit.
fn exact(minor: i128, currency: Currency) -> Result<Money, MoneyError> {
    let minor = i64::try_from(minor).map_err(|_| MoneyError::Overflow)?;
    Ok(Money::new(minor, currency))
}

proptest! {
    #[test]
    fn arithmetic_is_exact_or_an_overflow(
        currency in any_currency(), a in any_minor(), b in any_minor(), count in any_quantity(),
    ) {
        let (left, right) = (Money::new(a, currency), Money::new(b, currency));
        let (a, b) = (i128::from(a), i128::from(b));
        prop_assert_eq!(left.checked_add(right), exact(a + b, currency));
        prop_assert_eq!(left.checked_sub(right), exact(a - b, currency));
        prop_assert_eq!(left.checked_mul(count), exact(a * i128::from(count.get()), currency));
    }

    #[test]
    fn amounts_in_two_currencies_never_meet(
        left in any_currency(), right in any_currency(), a in any_minor(), b in any_minor(),
    ) {
        prop_assume!(left != right);
        let mismatch = Err(MoneyError::CurrencyMismatch { left, right });
        prop_assert_eq!(Money::new(a, left).checked_add(Money::new(b, right)), mismatch);
        prop_assert_eq!(Money::new(a, left).checked_sub(Money::new(b, right)), mismatch);
    }

    #[test]
    fn a_sum_is_exact_as_long_as_each_step_fits(
        currency in any_currency(), minors in prop::collection::vec(-1_000_000..1_000_000_i64, 0..50),
    ) {
        let sum = Money::checked_sum(currency, minors.iter().map(|m| Money::new(*m, currency)));
        prop_assert_eq!(sum, Ok(Money::new(minors.iter().sum(), currency)));
    }

    #[test]
    fn what_is_shown_is_read_back(currency in any_currency(), minor in any_minor()) {
        let amount = Money::new(minor, currency);
        let shown = amount.to_string();
        let number = shown.strip_suffix(currency.code()).unwrap().trim_end();
        prop_assert_eq!(Money::parse_decimal(number, currency), Ok(amount));
    }

    #[test]
    fn json_is_read_back(currency in any_currency(), minor in any_minor()) {
        let amount = Money::new(minor, currency);
        let json = serde_json::to_string(&amount).unwrap();
        prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), amount);
    }

    #[test]
    fn no_text_makes_the_decimal_reader_panic(currency in any_currency(), text in "\\PC*|-?[0-9.]{0,30}") {
        let _ = Money::parse_decimal(&text, currency);
    }
}

#[test]
fn amounts_are_shown_with_the_decimals_of_their_currency() {
    let table = [
        (money(1_234, "GBP"), "12.34 GBP"),
        (money(5, "GBP"), "0.05 GBP"),
        (money(-5, "GBP"), "-0.05 GBP"),
        (money(0, "GBP"), "0.00 GBP"),
        (money(500, "JPY"), "500 JPY"),
        (money(-1_005, "BHD"), "-1.005 BHD"),
        (money(i64::MIN, "GBP"), "-92233720368547758.08 GBP"),
    ];
    for (amount, shown) in table {
        assert_eq!(amount.to_string(), shown);
    }
}

#[test]
fn decimals_are_read_exactly() {
    let table = [
        ("2.55", Ok(255)),
        ("2.5", Ok(250)),
        ("12", Ok(1_200)),
        ("-0.05", Ok(-5)),
        ("0.850", Ok(85)),
        ("92233720368547758.07", Ok(i64::MAX)),
        ("-92233720368547758.08", Ok(i64::MIN)),
        (
            "92233720368547758.08",
            Err(ParseMoneyError::Amount(MoneyError::Overflow)),
        ),
        ("", Err(ParseMoneyError::NotADecimal)),
        (".5", Err(ParseMoneyError::NotADecimal)),
        ("5.", Err(ParseMoneyError::NotADecimal)),
        ("+5", Err(ParseMoneyError::NotADecimal)),
        ("--5", Err(ParseMoneyError::NotADecimal)),
        ("1e3", Err(ParseMoneyError::NotADecimal)),
        ("1,50", Err(ParseMoneyError::NotADecimal)),
    ];
    for (text, minor) in table {
        let expected = minor.map(|minor| money(minor, "GBP"));
        assert_eq!(
            Money::parse_decimal(text, currency("GBP")),
            expected,
            "{text}"
        );
    }
}

#[test]
fn more_decimals_than_the_currency_has_are_refused() {
    let refused = Money::parse_decimal("0.001", currency("GBP")).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "must have at most 2 decimal places in GBP"
    );
    assert!(Money::parse_decimal("1.5", currency("JPY")).is_err());
    assert_eq!(
        Money::parse_decimal("0.001", currency("BHD")),
        Ok(money(1, "BHD"))
    );
}

#[test]
fn a_quantity_is_from_one_to_a_million() {
    for count in [1, 2, 1_000_000] {
        assert_eq!(Quantity::try_from(count).unwrap().get(), count);
    }
    for count in [
        0,
        -1,
        1_000_001,
        i64::from(i32::MAX) + 1,
        i64::MAX,
        i64::MIN,
    ] {
        let refused = Quantity::try_from(count).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!("must be from 1 to 1000000, got {count}")
        );
    }
    assert!(serde_json::from_str::<Quantity>("0").is_err());
}
