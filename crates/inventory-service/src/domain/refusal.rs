//! Every reason for which a verb is refused.

use types::{LocationId, OrderId, Sku};

use super::reservation::StateName;

/// How much of one SKU was asked for, and how much there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amiss {
    pub sku: Sku,
    pub requested: i64,
    pub available: i64,
}

/// A definite answer: the same call would be refused again, unless something
/// else changes first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("not enough stock for {} of the lines", short.len())]
    OutOfStock { short: Vec<Amiss> },
    #[error("unknown: {}", names(skus))]
    UnknownSku { skus: Vec<Sku> },
    #[error("unknown location: {0}")]
    UnknownLocation(LocationId),
    #[error("there is no item {0}")]
    ItemNotFound(Sku),
    #[error("there is no reservation for order {0}")]
    ReservationNotFound(OrderId),
    #[error("the hold of order {0} has expired")]
    ReservationExpired(OrderId),
    #[error("the reservation of order {0} was released")]
    ReservationReleased(OrderId),
    #[error("order {0} has a reservation with other lines")]
    ReservationDiffers(OrderId),
    #[error("a reservation in state {} cannot be {verb}: order {order_id}", from.as_str())]
    IllegalTransition {
        order_id: OrderId,
        from: StateName,
        /// A participle: "released".
        verb: &'static str,
    },
    #[error("more than is left was asked for, of order {order_id}")]
    ExceedsRemaining {
        order_id: OrderId,
        lines: Vec<Amiss>,
    },
    #[error("{promised} units of {sku} at {location_id} are promised to orders")]
    StockCommitted {
        sku: Sku,
        location_id: LocationId,
        promised: i64,
    },
    #[error("{sku} at {location_id}: requested {requested}, available {available}")]
    InsufficientStock {
        sku: Sku,
        location_id: LocationId,
        requested: i64,
        available: i64,
    },
    #[error("the {kind} {name} has changed")]
    EtagMismatch { kind: &'static str, name: String },
}

fn names(skus: &[Sku]) -> String {
    let names: Vec<&str> = skus.iter().map(Sku::as_str).collect();
    names.join(", ")
}
