//! How much of one item is at one location.

use types::{LocationId, Sku};

/// An item at a location; the order of spots is the order of their locks.
pub type Spot = (Sku, LocationId);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    pub sku: Sku,
    pub location_id: LocationId,
    /// The location's.
    pub priority: i32,
    pub on_hand: i64,
    pub held: i64,
    pub committed: i64,
    pub safety_stock: i64,
    pub backorder_limit: i64,
    /// 0 until the first change.
    pub version: i64,
}

impl Level {
    /// Units on the shelf that nobody was promised and that may be sold.
    pub fn available(&self) -> i64 {
        (self.on_hand - self.promised() - self.safety_stock).max(0)
    }

    /// Units that may be promised now: what is available, and backorders.
    pub fn reservable(&self) -> i64 {
        (self.on_hand + self.backorder_limit - self.promised() - self.safety_stock).max(0)
    }

    pub fn promised(&self) -> i64 {
        self.held + self.committed
    }

    pub fn spot(&self) -> Spot {
        (self.sku.clone(), self.location_id.clone())
    }

    /// Every rule that the table checks, too.
    pub fn is_sound(&self) -> bool {
        self.on_hand >= 0
            && self.held >= 0
            && self.committed >= 0
            && self.safety_stock >= 0
            && self.promised() <= self.on_hand + self.backorder_limit
    }
}
