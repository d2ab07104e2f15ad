//! Conversions of shared values.

use chrono::{DateTime, Utc};
use prost_types::Timestamp;
use types::{Currency, Money};

use crate::common::v1 as pb;

impl From<Money> for pb::Money {
    fn from(money: Money) -> Self {
        Self {
            minor_units: money.minor(),
            currency_code: money.currency().code().to_owned(),
        }
    }
}

impl TryFrom<&pb::Money> for Money {
    type Error = types::ParseCurrencyError;

    fn try_from(money: &pb::Money) -> Result<Self, Self::Error> {
        Ok(Self::new(
            money.minor_units,
            Currency::parse(&money.currency_code)?,
        ))
    }
}

impl pb::ErrorReason {
    /// The string that `ErrorInfo.reason` carries: the enum's name without its
    /// prefix.
    pub fn code(self) -> &'static str {
        self.as_str_name()
            .strip_prefix("ERROR_REASON_")
            .unwrap_or("UNSPECIFIED")
    }
}

/// A time for the wire.
pub fn to_timestamp(time: DateTime<Utc>) -> Timestamp {
    Timestamp {
        seconds: time.timestamp(),
        nanos: time.timestamp_subsec_nanos().cast_signed(),
    }
}

/// A time from the wire; `None` when it is out of range.
pub fn from_timestamp(time: &Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(time.seconds, u32::try_from(time.nanos).ok()?)
}
