//! What is sold, and where it is kept.

use types::{LocationId, Money, Sku};

/// Where stock is when nobody says otherwise; made by the first migration.
pub const MAIN_LOCATION: &str = "main";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub sku: Sku,
    pub title: String,
    pub list_price: Option<Money>,
    /// False: sold, but never counted.
    pub stock_tracked: bool,
    /// Units that may be promised beyond what is on hand, per location.
    pub backorder_limit: i64,
    pub version: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    pub id: LocationId,
    pub name: String,
    /// Stock is taken from the lowest number first.
    pub priority: i32,
    pub version: i64,
}
