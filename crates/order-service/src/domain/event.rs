//! What happened to an order.

use chrono::{DateTime, Utc};
use types::OrderId;

use super::{State, StateReason};

macro_rules! kinds {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// The kind of an event; its name is also the end of the type of the
        /// message that other services get.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind { $($variant),+ }

        impl Kind {
            pub const ALL: &'static [Kind] = &[$(Kind::$variant),+];

            pub fn name(self) -> &'static str {
                match self { $(Kind::$variant => $name),+ }
            }
        }
    };
}

kinds! {
    Placed = "placed",
    PaymentActionRequired = "payment_action_required",
    Confirmed = "confirmed",
    PaymentCaptured = "payment_captured",
    PaymentRetried = "payment_retried",
    PaymentAuthorized = "payment_authorized",
    Compensating = "compensating",
    Cancelled = "cancelled",
    Rejected = "rejected",
    NeedsAttention = "needs_attention",
    Resumed = "resumed",
    FulfillmentRequested = "fulfillment_requested",
    Fulfilled = "fulfilled",
    FulfillmentFailed = "fulfillment_failed",
    ReturnRequested = "return_requested",
    ReturnReceived = "return_received",
    Returned = "returned",
    ReturnFailed = "return_failed",
    RefundRequested = "refund_requested",
    Refunded = "refunded",
    RefundFailed = "refund_failed",
}

/// An event about to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    pub order_id: OrderId,
    pub sequence: i64,
    pub kind: Kind,
    /// `None` for the first event.
    pub from: Option<State>,
    pub to: State,
    pub reason: StateReason,
    /// A principal, or [`NewEvent::SAGA`].
    pub actor: String,
    pub traceparent: Option<String>,
}

impl NewEvent {
    pub const SAGA: &'static str = "saga";
}

/// A recorded event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub order_id: OrderId,
    pub sequence: i64,
    pub kind: String,
    pub from: Option<State>,
    pub to: State,
    pub reason: StateReason,
    pub actor: String,
    pub traceparent: Option<String>,
    pub at: DateTime<Utc>,
}
