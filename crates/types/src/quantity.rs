//! How many units of one thing are meant.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A number of units from 1 to [`Quantity::MAX`]. Zero and negative counts are
/// no quantities: what needs a signed change uses a plain integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Quantity(i64);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be from 1 to {}, got {got}", Quantity::MAX)]
pub struct QuantityError {
    pub got: i64,
}

impl Quantity {
    pub const MAX: i64 = 1_000_000;

    pub fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for Quantity {
    type Error = QuantityError;

    fn try_from(got: i64) -> Result<Self, Self::Error> {
        if (1..=Self::MAX).contains(&got) {
            Ok(Self(got))
        } else {
            Err(QuantityError { got })
        }
    }
}

impl From<Quantity> for i64 {
    fn from(quantity: Quantity) -> Self {
        quantity.0
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
