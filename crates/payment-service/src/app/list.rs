//! Reading: one by one and in pages.

use std::collections::HashMap;

use types::{OrderId, PaymentId, RefundId};

use super::error::no_payment;
use super::{App, AppError, Target};
use crate::domain::{Capture, Payment, Refund, State};
use crate::store::ledger_entries::{self, Entry};
use crate::store::payments::Cursor;
use crate::store::{captures, payments, refunds};

/// A payment with its captures and refunds, oldest first.
#[derive(Debug, Clone)]
pub struct Details {
    pub payment: Payment,
    pub captures: Vec<Capture>,
    pub refunds: Vec<Refund>,
}

impl App {
    /// `refresh`: the provider is asked first if something is open.
    pub async fn get_payment(&self, target: Target, refresh: bool) -> Result<Details, AppError> {
        let payment = self.find(target).await?;
        if refresh {
            self.refresh(payment.id).await?;
        }
        let payment = self.read(payment.id).await?.payment;
        let details = self.with_details(vec![payment]).await?;
        details
            .into_iter()
            .next()
            .ok_or(AppError::Bug("a payment without details"))
    }

    async fn find(&self, target: Target) -> Result<Payment, AppError> {
        let mut conn = self.db.acquire().await?;
        match target {
            Target::Payment(id) => {
                let read = payments::get(&mut conn, id).await?;
                Ok(read.ok_or_else(|| no_payment(id))?.payment)
            }
            Target::Order(order) => {
                let read = payments::of_order(&mut conn, order).await?;
                let none = || AppError::NotFound {
                    kind: "payment of order",
                    name: order.to_string(),
                };
                Ok(read.ok_or_else(none)?.payment)
            }
        }
    }

    pub async fn list_payments(
        &self,
        order: Option<OrderId>,
        state: Option<State>,
        after: Option<Cursor>,
        limit: i64,
    ) -> Result<Vec<Details>, AppError> {
        let found = {
            let mut conn = self.db.acquire().await?;
            match order {
                Some(order) => {
                    payments::list_of_order(&mut conn, order, state, after, limit).await?
                }
                None => payments::list(&mut conn, state, after, limit).await?,
            }
        };
        self.with_details(found).await
    }

    async fn with_details(&self, found: Vec<Payment>) -> Result<Vec<Details>, AppError> {
        let ids: Vec<PaymentId> = found.iter().map(|payment| payment.id).collect();
        let mut conn = self.db.acquire().await?;
        let mut captures_of: HashMap<PaymentId, Vec<Capture>> = HashMap::new();
        for capture in captures::of_payments(&mut conn, &ids).await? {
            captures_of
                .entry(capture.payment_id)
                .or_default()
                .push(capture);
        }
        let mut refunds_of: HashMap<PaymentId, Vec<Refund>> = HashMap::new();
        for refund in refunds::of_payments(&mut conn, &ids).await? {
            refunds_of
                .entry(refund.payment_id)
                .or_default()
                .push(refund);
        }
        let details = found.into_iter().map(|payment| Details {
            captures: captures_of.remove(&payment.id).unwrap_or_default(),
            refunds: refunds_of.remove(&payment.id).unwrap_or_default(),
            payment,
        });
        Ok(details.collect())
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
