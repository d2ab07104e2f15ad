//! Reading columns as values that exist only when they are valid.

use types::{Currency, LocationId, Money, Sku};

/// What stands in a table was valid when it was written; if it is not now, the
/// row cannot be read.
pub(crate) fn valid<T, E>(parsed: Result<T, E>) -> sqlx::Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    parsed.map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

pub(crate) fn known<T>(value: Option<T>, column: &'static str) -> sqlx::Result<T> {
    value.ok_or_else(|| sqlx::Error::Decode(format!("unknown {column}").into()))
}

pub(crate) fn sku(text: &str) -> sqlx::Result<Sku> {
    valid(Sku::parse(text))
}

pub(crate) fn location_id(text: &str) -> sqlx::Result<LocationId> {
    valid(LocationId::parse(text))
}

pub(crate) fn money(minor: Option<i64>, currency: Option<&str>) -> sqlx::Result<Option<Money>> {
    match (minor, currency) {
        (Some(minor), Some(currency)) => {
            let currency = valid(Currency::parse(currency))?;
            Ok(Some(Money::new(minor, currency)))
        }
        _ => Ok(None),
    }
}

pub(crate) fn minor(money: Option<Money>) -> Option<i64> {
    money.map(Money::minor)
}

pub(crate) fn currency(money: Option<Money>) -> Option<&'static str> {
    money.map(|money| money.currency().code())
}
