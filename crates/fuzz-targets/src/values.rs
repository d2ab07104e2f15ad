//! Plain values from text.

use std::{fmt::Display, str::FromStr};

use types::{
    Currency, CustomerId, IdempotencyKey, LocationId, Money, OrderId, Sku, forbidden_content,
    holds_card_number,
};

use crate::text::lossy;

const CARD: &str = "4242424242424242";

/// A first line that is a currency is the currency of the amount behind it.
pub(crate) fn values(data: &[u8]) {
    let text = lossy(data);
    says_itself_again::<Sku>(&text);
    says_itself_again::<CustomerId>(&text);
    says_itself_again::<LocationId>(&text);
    says_itself_again::<IdempotencyKey>(&text);
    says_itself_again::<Currency>(&text);
    ids(&text);
    amounts(&text);
    content(&text);
}

fn says_itself_again<T>(text: &str)
where
    T: FromStr<Err: Display> + Display,
{
    match text.parse::<T>() {
        Ok(value) => assert_eq!(value.to_string(), text),
        Err(error) => says_what_is_expected(&error),
    }
}

fn says_what_is_expected(error: &impl Display) {
    let said = error.to_string();
    assert!(
        said.starts_with("must ") || said.contains(" must "),
        "{said}"
    );
}

/// A UUID has several spellings and is said in one.
fn ids(text: &str) {
    match OrderId::parse(text) {
        Ok(id) => assert_eq!(OrderId::parse(&id.to_string()), Ok(id)),
        Err(error) => says_what_is_expected(&error),
    }
}

fn amounts(text: &str) {
    let (code, amount) = text.split_once('\n').unwrap_or(("GBP", text));
    let Ok(currency) = Currency::parse(code) else {
        return;
    };
    match Money::parse_decimal(amount, currency) {
        Ok(money) => {
            let said = money.to_string();
            let (number, unit) = said.split_once(' ').unwrap();
            assert_eq!(unit, code);
            assert_eq!(Money::parse_decimal(number, currency), Ok(money));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// What stands around a card number on other lines does not hide it.
fn content(text: &str) {
    let _ = forbidden_content(text);
    let among = format!("{text}\n{CARD}\n{text}");
    assert!(holds_card_number(&among));
    assert!(forbidden_content(&among).is_some());
}
