//! What is typed on the command line, read exactly or refused with what was
//! expected. Amounts are decimal and never go through a float.

use std::{str::FromStr, time::Duration};

use api::{common::v1 as common, order::v1 as order, payment::v1 as payment};
use chrono::{DateTime, Utc};
use types::{Currency, IdempotencyKey, Money, Quantity, Sku};

use crate::failure::Failure;

/// `SKU=QTY` or `SKU=QTY@PRICE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineArg {
    pub sku: Sku,
    pub quantity: Quantity,
    /// In major units of the order's currency.
    pub price: Option<String>,
}

impl FromStr for LineArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (sku, rest) = text
            .rsplit_once('=')
            .ok_or("expected SKU=QTY or SKU=QTY@PRICE, such as mug=2 or mug=2@7.50")?;
        let (units, price) = match rest.split_once('@') {
            Some((units, price)) => (units, Some(price.to_owned())),
            None => (rest, None),
        };
        Ok(Self {
            sku: Sku::parse(sku).map_err(|error| format!("the SKU {error}"))?,
            quantity: quantity(units)?,
            price,
        })
    }
}

/// `NUMBER=QTY`: units of the order's line with that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineQuantityArg {
    pub number: i32,
    pub quantity: Quantity,
}

impl FromStr for LineQuantityArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('=');
        let (number, units) = parts.ok_or("expected NUMBER=QTY, such as 1=2")?;
        let number = number.parse::<i32>().ok().filter(|number| *number > 0);
        Ok(Self {
            number: number.ok_or("the line number must be a whole number from 1 on")?,
            quantity: quantity(units)?,
        })
    }
}

impl From<LineQuantityArg> for order::LineQuantity {
    fn from(line: LineQuantityArg) -> Self {
        Self {
            line_number: line.number,
            quantity: line.quantity.get(),
        }
    }
}

/// A service and its scopes: `NAME` or `NAME=SCOPES`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceArg {
    pub name: String,
    pub scopes: Option<Scopes>,
}

impl FromStr for ServiceArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, scopes) = match text.split_once('=') {
            Some((name, list)) => (name, Some(self::scopes(list)?)),
            None => (text, None),
        };
        // It becomes the name of a file.
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        match !name.is_empty() && name.len() <= 63 && name.chars().all(allowed) {
            true => Ok(Self {
                name: name.to_owned(),
                scopes,
            }),
            false => Err("expected a name of small letters, digits and dashes".to_owned()),
        }
    }
}

/// What a token allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes(pub Vec<String>);

/// Scopes with spaces between them.
pub fn scopes(text: &str) -> Result<Scopes, String> {
    let scopes = text.split_whitespace().map(str::to_owned);
    let scopes: Vec<String> = scopes.collect();
    match scopes.iter().find(|scope| !auth::is_scope(scope)) {
        None => Ok(Scopes(scopes)),
        Some(wrong) => Err(format!(
            "{wrong:?} is no scope; expected such as orders:read"
        )),
    }
}

/// Whom a token speaks for.
pub fn subject(text: &str) -> Result<String, String> {
    let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    match printable && text.trim() == text && (1..=255).contains(&text.len()) {
        true => Ok(text.to_owned()),
        false => Err("must be 1 to 255 printable ASCII characters".to_owned()),
    }
}

fn quantity(text: &str) -> Result<Quantity, String> {
    let expected = |got: &dyn std::fmt::Display| format!("the quantity {got}");
    let units = text.parse::<i64>();
    let units = units.map_err(|_| expected(&format!("{text:?} is no whole number")))?;
    Quantity::try_from(units).map_err(|error| expected(&error))
}

/// `500ms`, `10s`, `2m`, or a number of seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number = digits.parse::<u64>().ok();
    let duration = match (number, &text[digits.len()..]) {
        (Some(number), "ms") => Some(Duration::from_millis(number)),
        (Some(number), "s" | "") => Some(Duration::from_secs(number)),
        (Some(number), "m") => number.checked_mul(60).map(Duration::from_secs),
        _ => None,
    };
    duration
        .filter(|duration| !duration.is_zero() && *duration <= Duration::from_secs(3600))
        .ok_or_else(|| "expected a time from 1ms to 60m, such as 500ms, 10s or 2m".to_owned())
}

/// A moment, as RFC 3339 writes it.
pub fn time(text: &str) -> Result<DateTime<Utc>, String> {
    let time = DateTime::parse_from_rfc3339(text);
    time.map(|time| time.to_utc())
        .map_err(|_| "expected a time such as 2026-11-22T01:30:00Z".to_owned())
}

pub fn key(text: &str) -> Result<String, String> {
    let key = IdempotencyKey::parse(text).map_err(|error| error.to_string())?;
    Ok(key.as_str().to_owned())
}

/// An amount in major units, such as 12.34, of a field named `field`.
pub fn amount(field: &str, text: &str, currency: Currency) -> Result<common::Money, Failure> {
    Money::parse_decimal(text, currency)
        .map(common::Money::from)
        .map_err(|error| Failure::BadInput(format!("{field} {text:?} {error}")))
}

pub fn order_state(text: &str) -> Result<order::OrderState, String> {
    let of = |number| order::OrderState::try_from(number).ok();
    enum_value(text, "ORDER_STATE_", of, order::OrderState::as_str_name)
}

pub fn payment_state(text: &str) -> Result<payment::PaymentState, String> {
    let of = |number| payment::PaymentState::try_from(number).ok();
    enum_value(
        text,
        "PAYMENT_STATE_",
        of,
        payment::PaymentState::as_str_name,
    )
}

/// `confirmed`, `CONFIRMED`, `partially-fulfilled`: whatever names a value.
fn enum_value<E: Copy>(
    text: &str,
    prefix: &str,
    of: impl Fn(i32) -> Option<E>,
    name: impl Fn(&E) -> &'static str,
) -> Result<E, String> {
    let wanted = text.to_ascii_uppercase().replace('-', "_");
    let values: Vec<E> = (1..).map_while(of).collect();
    let short = |value: &E| name(value).trim_start_matches(prefix);
    let found = values.iter().find(|value| short(value) == wanted);
    found.copied().ok_or_else(|| {
        let names: Vec<_> = values.iter().map(short).collect();
        format!("expected one of {}", names.join(", "))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panic")]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_sku_a_quantity_and_perhaps_a_price() {
        let line: LineArg = "demo-mug=2@7.50".parse().unwrap();
        assert_eq!(line.sku.as_str(), "demo-mug");
        assert_eq!(line.quantity.get(), 2);
        assert_eq!(line.price.as_deref(), Some("7.50"));
        let line: LineArg = "a=b=3".parse().unwrap();
        assert_eq!((line.sku.as_str(), line.price), ("a=b", None));
    }

    #[test]
    fn a_wrong_line_says_what_is_wrong_with_it() {
        let wrong = |text: &str| text.parse::<LineArg>().unwrap_err();
        assert!(wrong("mug").starts_with("expected SKU=QTY"));
        assert_eq!(
            wrong("mug=0"),
            "the quantity must be from 1 to 1000000, got 0"
        );
        assert_eq!(wrong("mug=1.5"), "the quantity \"1.5\" is no whole number");
        assert!(wrong("=1").starts_with("the SKU must be 1 to 64"));
        assert!("0=1".parse::<LineQuantityArg>().is_err());
        assert_eq!("2=1".parse::<LineQuantityArg>().unwrap().number, 2);
    }

    #[test]
    fn times_have_units_and_limits() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("10"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for wrong in [
            "",
            "0s",
            "-1s",
            "1.5s",
            "2h",
            "61m",
            "99999999999999999999s",
        ] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn states_are_named_in_any_case_and_never_unspecified() {
        assert_eq!(order_state("confirmed"), Ok(order::OrderState::Confirmed));
        let partly = order_state("partially-fulfilled");
        assert_eq!(partly, Ok(order::OrderState::PartiallyFulfilled));
        assert_eq!(
            payment_state("CAPTURED"),
            Ok(payment::PaymentState::Captured)
        );
        assert!(order_state("unspecified").is_err());
        let told = order_state("shipped").unwrap_err();
        assert!(told.contains("CONFIRMED, PARTIALLY_FULFILLED"), "{told}");
    }

    #[test]
    fn a_key_is_printable_ascii() {
        assert_eq!(key("a b"), Ok("a b".to_owned()));
        assert!(key("").is_err());
        assert!(key("schlüssel").is_err());
    }
}
