//! ISO 4217 currencies that have a minor unit.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A currency in which an amount can be stated, such as GBP.
///
/// Codes without a minor unit (gold, "no currency", test codes) are not
/// currencies here: no amount could be given in them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub struct Currency {
    iso: iso_currency::Currency,
    exponent: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseCurrencyError {
    #[error("must be an ISO 4217 currency code of three capital letters, such as GBP")]
    Unknown,
    #[error("must be a currency with a minor unit, {0} has none")]
    NoMinorUnit(&'static str),
}

impl Currency {
    /// Parses a code of three capital letters; `gbp` is refused, so that one
    /// currency has one spelling in every table, log and key.
    pub fn parse(code: &str) -> Result<Self, ParseCurrencyError> {
        let iso = iso_currency::Currency::from_code(code)
            .filter(|iso| iso.code() == code)
            .ok_or(ParseCurrencyError::Unknown)?;
        let exponent = iso
            .exponent()
            .ok_or_else(|| ParseCurrencyError::NoMinorUnit(iso.code()))?;
        Ok(Self { iso, exponent })
    }

    pub fn code(self) -> &'static str {
        self.iso.code()
    }

    /// The number of decimal places: 2 for GBP, 0 for JPY, 3 for BHD.
    pub fn exponent(self) -> u32 {
        u32::from(self.exponent)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = ParseCurrencyError;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        Self::parse(code)
    }
}

impl TryFrom<String> for Currency {
    type Error = ParseCurrencyError;

    fn try_from(code: String) -> Result<Self, Self::Error> {
        Self::parse(&code)
    }
}

impl From<Currency> for &'static str {
    fn from(currency: Currency) -> Self {
        currency.code()
    }
}
