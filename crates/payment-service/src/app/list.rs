//! Reading: one by one and in pages.

use std::collections::HashMap;

use database::Connection;
use types::{OrderId, PaymentId, RefundId};

use super::error::no_payment;
use super::{App, AppError, Target};
use crate::domain::{Capture, Payment, Refund, State};
use crate::store::ledger_entries::{self, Entry};
pub use crate::store::payments::Cursor;
use crate::store::{captures, payments, refunds};

/// A payment with its captures and refunds, oldest first.
#[derive(Debug, Clone)]
pub struct Details {
    pub payment: Payment,
    pub captures: Vec<Capture>,
    pub refunds: Vec<Refund>,
}

impl App {
    /// Who did what, newest first, older than the entry `before`.
    pub async fn list_audit_entries(
        &self,
        filter: &audit::Filter,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<audit::Recorded>, AppError> {
        let mut conn = self.db.acquire().await?;
        Ok(audit::list(&mut conn, filter, before, limit).await?)
    }

    /// `refresh`: the provider is asked first if something is open.
    pub async fn get_payment(&self, target: Target, refresh: bool) -> Result<Details, AppError> {
        if refresh {
            let mut conn = self.db.acquire().await?;
            let found = find(&mut conn, target).await?;
            drop(conn);
            self.refresh(found.id).await?;
        }
        let mut snapshot = self.snapshot().await?;
        let found = find(&mut snapshot, target).await?;
        let details = with_details(&mut snapshot, vec![found]).await?;
        let mut details = details.into_iter();
        details
            .next()
            .ok_or(AppError::Bug("a payment without details"))
    }

    pub async fn list_payments(
        &self,
        order: Option<OrderId>,
        state: Option<State>,
        after: Option<Cursor>,
        limit: i64,
    ) -> Result<Vec<Details>, AppError> {
        let mut snapshot = self.snapshot().await?;
        let found = match order {
            Some(order) => {
                payments::list_of_order(&mut snapshot, order, state, after, limit).await?
            }
            None => payments::list(&mut snapshot, state, after, limit).await?,
        };
        with_details(&mut snapshot, found).await
    }

    /// A transaction that sees one state of all tables, so that a payment and
    /// its captures and refunds fit together.
    async fn snapshot(&self) -> Result<database::Tx, AppError> {
        let mut tx = self.db.begin().await?;
        payments::freeze(&mut tx).await?;
        Ok(tx)
    }

    pub async fn get_refund(&self, id: RefundId) -> Result<Refund, AppError> {
        let mut conn = self.db.acquire().await?;
        let found = refunds::get(&mut conn, id).await?;
        found.ok_or_else(|| AppError::NotFound {
            kind: "refund",
            name: id.to_string(),
        })
    }

    pub async fn list_refunds(
        &self,
        payment: Option<PaymentId>,
        order: Option<OrderId>,
        after: Option<Cursor>,
        limit: i64,
    ) -> Result<Vec<Refund>, AppError> {
        let mut conn = self.db.acquire().await?;
        Ok(refunds::list(&mut conn, payment, order, after, limit).await?)
    }

    pub async fn list_ledger_entries(
        &self,
        payment: Option<PaymentId>,
        order: Option<OrderId>,
        after: i64,
        limit: i64,
    ) -> Result<Vec<Entry>, AppError> {
        let mut conn = self.db.acquire().await?;
        Ok(ledger_entries::list(&mut conn, payment, order, after, limit).await?)
    }
}

async fn find(conn: &mut Connection, target: Target) -> Result<Payment, AppError> {
    match target {
        Target::Payment(id) => {
            let read = payments::get(conn, id).await?;
            Ok(read.ok_or_else(|| no_payment(id))?.payment)
        }
        Target::Order(order) => {
            let read = payments::of_order(conn, order).await?;
            let none = || AppError::NotFound {
                kind: "payment of order",
                name: order.to_string(),
            };
            Ok(read.ok_or_else(none)?.payment)
        }
    }
}

async fn with_details(
    conn: &mut Connection,
    found: Vec<Payment>,
) -> Result<Vec<Details>, AppError> {
    let ids: Vec<PaymentId> = found.iter().map(|payment| payment.id).collect();
    let mut captures_of: HashMap<PaymentId, Vec<Capture>> = HashMap::new();
    for capture in captures::of_payments(conn, &ids).await? {
        let id = capture.payment_id;
        captures_of.entry(id).or_default().push(capture);
    }
    let mut refunds_of: HashMap<PaymentId, Vec<Refund>> = HashMap::new();
    for refund in refunds::of_payments(conn, &ids).await? {
        let id = refund.payment_id;
        refunds_of.entry(id).or_default().push(refund);
    }
    let details = found.into_iter().map(|payment| Details {
        captures: captures_of.remove(&payment.id).unwrap_or_default(),
        refunds: refunds_of.remove(&payment.id).unwrap_or_default(),
        payment,
    });
    Ok(details.collect())
}
