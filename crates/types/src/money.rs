//! Amounts in minor units, with arithmetic that fails rather than wraps.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Currency, Quantity};

/// A signed amount in the minor unit of its currency: 1234 GBP minor is £12.34.
///
/// It has no order and no operators, because two amounts need not be in the
/// same currency: use the checked functions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("the amount does not fit into 64 bits of minor units")]
    Overflow,
    #[error("the amounts must be in one currency, got {left} and {right}")]
    CurrencyMismatch { left: Currency, right: Currency },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseMoneyError {
    #[error("must be a decimal number such as 12.34")]
    NotADecimal,
    #[error("must have at most {exponent} decimal places in {currency}")]
    TooPrecise { currency: Currency, exponent: u32 },
    #[error(transparent)]
    Amount(#[from] MoneyError),
}

impl Money {
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    pub fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Reads `12.34`, `-0.5` or `12` exactly; never through a float.
    pub fn parse_decimal(text: &str, currency: Currency) -> Result<Self, ParseMoneyError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) {
            return Err(ParseMoneyError::NotADecimal);
        }
        let exponent = currency.exponent();
        let fraction = fraction.trim_end_matches('0');
        let places = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
        let Some(padding) = exponent.checked_sub(places) else {
            return Err(ParseMoneyError::TooPrecise { currency, exponent });
        };
        let minor = minor_units(negative, whole, fraction, padding).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(minor, currency))
    }

    pub fn minor(self) -> i64 {
        self.minor
    }

    pub fn currency(self) -> Currency {
        self.currency
    }

    pub fn is_zero(self) -> bool {
        self.minor == 0
    }

    pub fn is_negative(self) -> bool {
        self.minor < 0
    }

    pub fn checked_add(self, other: Money) -> Result<Money, MoneyError> {
        self.with(other, i64::checked_add)
    }

    pub fn checked_sub(self, other: Money) -> Result<Money, MoneyError> {
        self.with(other, i64::checked_sub)
    }

    pub fn checked_mul(self, quantity: Quantity) -> Result<Money, MoneyError> {
        let minor = self
            .minor
            .checked_mul(quantity.get())
            .ok_or(MoneyError::Overflow)?;
        Ok(Self::new(minor, self.currency))
    }

    /// The sum of amounts that must all be in `currency`; zero if there are none.
    pub fn checked_sum(
        currency: Currency,
        amounts: impl IntoIterator<Item = Money>,
    ) -> Result<Money, MoneyError> {
        amounts
            .into_iter()
            .try_fold(Self::zero(currency), Self::checked_add)
    }

    fn with(self, other: Money, op: fn(i64, i64) -> Option<i64>) -> Result<Money, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch {
                left: self.currency,
                right: other.currency,
            });
        }
        let minor = op(self.minor, other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(minor, self.currency))
    }
}

/// Adds up the digits on the negative side, which reaches one further.
fn minor_units(negative: bool, whole: &str, fraction: &str, padding: u32) -> Option<i64> {
    let zeros = (0..padding).map(|_| b'0');
    let below_zero = whole
        .bytes()
        .chain(fraction.bytes())
        .chain(zeros)
        .try_fold(0_i64, |sum, digit| {
            sum.checked_mul(10)?.checked_sub(i64::from(digit - b'0'))
        })?;
    if negative {
        Some(below_zero)
    } else {
        below_zero.checked_neg()
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minor < 0 { "-" } else { "" };
        let exponent = self.currency.exponent();
        let (minor, unit) = (self.minor.unsigned_abs(), 10_u64.pow(exponent));
        if exponent == 0 {
            return write!(f, "{sign}{minor} {}", self.currency);
        }
        let (whole, fraction, width) = (minor / unit, minor % unit, exponent as usize);
        write!(f, "{sign}{whole}.{fraction:0width$} {}", self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Money({self})")
    }
}
