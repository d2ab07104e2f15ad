//! Captures and refunds: money on its way, one row each.

use chrono::{DateTime, Utc};
use types::{CaptureId, Currency, Money, OrderId, PaymentId, RefundId};

use super::TransferState;

/// Money taken from an authorization. Its id is the provider's key for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    pub id: CaptureId,
    pub payment_id: PaymentId,
    pub amount_minor: i64,
    pub state: TransferState,
    /// The rest of the authorization is given back with it.
    pub last: bool,
    pub failure_code: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// Money given back. Its id is the provider's key for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    pub id: RefundId,
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    pub amount_minor: i64,
    pub currency: Currency,
    pub state: TransferState,
    pub reason: String,
    /// `None` while it is pending: nobody knows whether the provider has it.
    pub provider_reference: Option<String>,
    pub failure_code: Option<String>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
}

impl Refund {
    pub fn amount(&self) -> Money {
        Money::new(self.amount_minor, self.currency)
    }
}
