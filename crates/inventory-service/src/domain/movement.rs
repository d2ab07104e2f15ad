//! Changes of stock on hand.

use types::{LocationId, Sku};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MovementKind {
    Set,
    Adjust,
    Fulfill,
    Return,
    TransferOut,
    TransferIn,
}

/// Why stock moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    pub kind: MovementKind,
    /// The fulfillment or return behind it; empty where there is none.
    pub reference: String,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    pub sku: Sku,
    pub location_id: LocationId,
    pub delta: i64,
    pub on_hand_after: i64,
    pub cause: Cause,
}
