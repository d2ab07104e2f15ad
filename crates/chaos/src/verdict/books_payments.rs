//! The payment service's books, as its tables have them.

use std::collections::HashMap;

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::books_orders::grouped;
use super::site::Site;

/// As captures and refunds have it.
pub const PENDING: i16 = 1;
pub const SUCCEEDED: i16 = 2;

pub const AUTHORIZED: i16 = 4;
pub const PARTIALLY_CAPTURED: i16 = 5;
pub const CAPTURED: i16 = 6;

#[derive(Debug, Clone, FromRow)]
pub struct PaymentRow {
    pub id: String,
    pub order_id: String,
    pub attempt: i16,
    pub state: i16,
    pub amount_minor: i64,
    pub authorized_minor: i64,
    pub captured_minor: i64,
    pub capture_pending_minor: i64,
    pub refunded_minor: i64,
    pub refund_pending_minor: i64,
    pub void_requested: bool,
    pub provider_reference: Option<String>,
    pub event_count: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A capture or a refund.
#[derive(Debug, Clone, FromRow)]
pub struct TransferRow {
    pub id: String,
    pub payment_id: String,
    pub amount_minor: i64,
    pub state: i16,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, FromRow)]
pub struct LedgerRow {
    pub transaction_id: String,
    pub payment_id: String,
    /// 1 provider, 2 sales, 3 refunds
    pub account: i16,
    pub amount_minor: i64,
}

#[derive(Debug, Default)]
pub struct Payments {
    pub payments: Vec<PaymentRow>,
    by_order: HashMap<String, Vec<usize>>,
    pub captures: HashMap<String, Vec<TransferRow>>,
    pub refunds: HashMap<String, Vec<TransferRow>>,
    pub ledger: Vec<LedgerRow>,
}

impl Payments {
    pub async fn read(site: &Site) -> Result<Self> {
        let mut conn = site.snapshot("payments").await?;
        let payments: Vec<PaymentRow> = sqlx::query_as(
            "select id::text, order_id::text, attempt, state, amount_minor, authorized_minor,
                    captured_minor, capture_pending_minor, refunded_minor, refund_pending_minor,
                    void_requested, provider_reference, event_count, created_at, updated_at
             from payments
             order by order_id, attempt",
        )
        .fetch_all(&mut conn)
        .await?;
        let captures: Vec<TransferRow> = sqlx::query_as(
            "select id::text, payment_id::text, amount_minor, state, created_at from captures",
        )
        .fetch_all(&mut conn)
        .await?;
        let refunds: Vec<TransferRow> = sqlx::query_as(
            "select id::text, payment_id::text, amount_minor, state, created_at from refunds",
        )
        .fetch_all(&mut conn)
        .await?;
        let ledger: Vec<LedgerRow> = sqlx::query_as(
            "select transaction_id::text, payment_id::text, account, amount_minor
             from ledger_entries",
        )
        .fetch_all(&mut conn)
        .await?;
        let mut by_order: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, payment) in payments.iter().enumerate() {
            by_order
                .entry(payment.order_id.clone())
                .or_default()
                .push(at);
        }
        let by_payment = |rows: Vec<TransferRow>| {
            grouped(rows.into_iter().map(|row| (row.payment_id.clone(), row)))
        };
        Ok(Self {
            payments,
            by_order,
            captures: by_payment(captures),
            refunds: by_payment(refunds),
            ledger,
        })
    }

    /// The attempts to pay for an order, first to last.
    pub fn of(&self, order: &str) -> impl Iterator<Item = &PaymentRow> {
        let places = self.by_order.get(order).into_iter().flatten();
        places.map(|at| &self.payments[*at])
    }
}

impl PaymentRow {
    pub fn is_live(&self) -> bool {
        (1..=CAPTURED).contains(&self.state)
    }

    /// What was taken and not given back.
    pub fn kept_minor(&self) -> i64 {
        self.captured_minor - self.refunded_minor
    }

    /// Authorized and neither captured nor given up.
    pub fn held_minor(&self) -> i64 {
        match self.state {
            AUTHORIZED | PARTIALLY_CAPTURED => self.amount_minor - self.captured_minor,
            _ => 0,
        }
    }
}
