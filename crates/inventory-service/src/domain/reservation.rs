//! What is kept for one order.

use chrono::{DateTime, Utc};
use types::{LocationId, Money, OrderId, Sku};

use super::level::Spot;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    pub order_id: OrderId,
    pub state: State,
    /// Of the lines that were asked for; `None` for a tombstone.
    pub fingerprint: Option<[u8; 32]>,
    /// In order of SKU, then location.
    pub lines: Vec<Line>,
    /// Why it was released; empty otherwise.
    pub reason: String,
    pub version: i64,
    /// How many events there were.
    pub events: i64,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Held { expires_at: DateTime<Utc> },
    Committed,
    Fulfilled,
    Expired,
    Released,
    Tombstone,
}

/// A state without its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateName {
    Held,
    Committed,
    Fulfilled,
    Expired,
    Released,
    Tombstone,
}

/// Some units of one SKU at one location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub sku: Sku,
    /// `None`: the item's stock was not tracked when it was reserved.
    pub location_id: Option<LocationId>,
    pub quantity: i64,
    pub fulfilled: i64,
    pub returned: i64,
    /// When it was reserved.
    pub list_price: Option<Money>,
}

impl Line {
    /// Units that have not left yet.
    pub fn open(&self) -> i64 {
        self.quantity - self.fulfilled
    }

    /// Units that have left and not come back.
    pub fn out(&self) -> i64 {
        self.fulfilled - self.returned
    }

    pub fn spot(&self) -> Option<Spot> {
        Some((self.sku.clone(), self.location_id.clone()?))
    }
}

impl State {
    pub fn name(&self) -> StateName {
        match self {
            Self::Held { .. } => StateName::Held,
            Self::Committed => StateName::Committed,
            Self::Fulfilled => StateName::Fulfilled,
            Self::Expired => StateName::Expired,
            Self::Released => StateName::Released,
            Self::Tombstone => StateName::Tombstone,
        }
    }
}

impl StateName {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Held => "HELD",
            Self::Committed => "COMMITTED",
            Self::Fulfilled => "FULFILLED",
            Self::Expired => "EXPIRED",
            Self::Released => "RELEASED",
            Self::Tombstone => "TOMBSTONE",
        }
    }
}

impl Reservation {
    /// A hold whose time is over, whether or not anybody has noticed yet.
    pub fn is_overdue(&self, now: DateTime<Utc>) -> bool {
        matches!(self.state, State::Held { expires_at } if expires_at <= now)
    }

    /// Whether its open units are counted as held or committed.
    pub fn is_live(&self) -> bool {
        matches!(self.state, State::Held { .. } | State::Committed)
    }

    pub fn has_shipped(&self) -> bool {
        self.lines.iter().any(|line| line.fulfilled > 0)
    }
}
