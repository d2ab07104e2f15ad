//! What a slice of calls did, to be written in one go.

use std::collections::{BTreeMap, BTreeSet};

use types::{LocationId, OrderId, Sku};
use uuid::Uuid;

use super::{level::Spot, movement::Movement};

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Changes {
    /// Levels that were made empty, in case they are needed.
    pub made: BTreeSet<Spot>,
    pub levels: BTreeSet<Spot>,
    pub reservations: BTreeMap<OrderId, Touched>,
    pub movements: Vec<Movement>,
    pub applied: Vec<Applied>,
    pub events: Vec<Event>,
}

/// How a reservation must be written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Touched {
    /// There was no row for this order.
    pub is_new: bool,
    pub lines: LinesTouched,
}

/// The greater includes the lesser.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinesTouched {
    #[default]
    No,
    /// What has left or come back.
    Counted,
    /// Other lines than before.
    Replaced,
}

/// A shipment or a return that was carried out, by the caller's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Applied {
    pub order_id: OrderId,
    pub kind: AppliedKind,
    pub id: Uuid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AppliedKind {
    Fulfillment,
    Return,
}

/// A fact for other services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub order_id: OrderId,
    /// Of the order's events, from 1 without gaps.
    pub sequence: i64,
    pub kind: EventKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    ReservationExpired,
    StockShortfall {
        sku: Sku,
        location_id: LocationId,
        quantity: i64,
    },
}
