//! What is to be done for an order after it was confirmed: ship, take back,
//! pay back. One shape for all three, since one reconciler carries them out.

use chrono::{DateTime, Utc};
use types::{Money, OrderId};
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WorkKind {
    Fulfillment = 1,
    Return = 2,
    Refund = 3,
}

impl WorkKind {
    pub fn number(self) -> i16 {
        self as i16
    }

    pub fn from_number(number: i16) -> Option<Self> {
        [Self::Fulfillment, Self::Return, Self::Refund]
            .into_iter()
            .find(|kind| kind.number() == number)
    }
}

/// Numbers are stored, and equal those of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WorkState {
    Requested = 1,
    Running = 2,
    Done = 3,
    Failed = 4,
}

impl WorkState {
    pub fn number(self) -> i16 {
        self as i16
    }

    pub fn from_number(number: i16) -> Option<Self> {
        [Self::Requested, Self::Running, Self::Done, Self::Failed]
            .into_iter()
            .find(|state| state.number() == number)
    }
}

/// A shipment, a return or a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// Also the key under which the peers know it.
    pub id: Uuid,
    pub order_id: OrderId,
    pub kind: WorkKind,
    pub state: WorkState,
    /// Line number and units; none for a refund.
    pub lines: Vec<(i32, i64)>,
    /// Of a shipment; may be empty.
    pub tracking: String,
    /// Of a return.
    pub restock: bool,
    /// What is paid back; `None` for a shipment.
    pub amount: Option<Money>,
    pub reason: String,
    /// Why it failed: a stable code; empty otherwise.
    pub failure: String,
    pub created_at: DateTime<Utc>,
}

/// The same before it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWork {
    pub id: Uuid,
    pub order_id: OrderId,
    pub kind: WorkKind,
    pub state: WorkState,
    pub lines: Vec<(i32, i64)>,
    pub tracking: String,
    pub restock: bool,
    pub amount: Option<Money>,
    pub reason: String,
}

impl NewWork {
    pub fn stored(self, created_at: DateTime<Utc>) -> Work {
        Work {
            id: self.id,
            order_id: self.order_id,
            kind: self.kind,
            state: self.state,
            lines: self.lines,
            tracking: self.tracking,
            restock: self.restock,
            amount: self.amount,
            reason: self.reason,
            failure: String::new(),
            created_at,
        }
    }
}
