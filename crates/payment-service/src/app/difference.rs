//! What differs between the provider's books and ours, and how the audit log
//! tells of it.

use database::Connection;
use idempotency::Request;
use types::{Money, OrderId, PaymentId};

use super::AppError;
use super::reconcile_provider::METHOD;
use crate::domain::Payment;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub kind: Kind,
    pub payment: PaymentId,
    pub order: OrderId,
    /// The provider's id.
    pub reference: String,
    pub amount: Money,
    /// Why it is unsettled.
    pub message: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Payment,
    Capture,
    Refund,
    State,
    Unsettled,
}

impl Kind {
    /// As in the audit log.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Payment => "PAYMENT_TAKEN_OVER",
            Kind::Capture => "CAPTURE_TAKEN_OVER",
            Kind::Refund => "REFUND_TAKEN_OVER",
            Kind::State => "STATE_TAKEN_OVER",
            Kind::Unsettled => "UNSETTLED",
        }
    }
}

/// Who reconciles, for the audit log.
#[derive(Debug, Clone)]
pub(super) struct Act {
    pub(super) request: Request,
}

impl Act {
    /// An entry for each difference, in the transaction that settles it.
    pub(super) async fn record(
        &self,
        conn: &mut Connection,
        differences: &[Difference],
    ) -> Result<(), AppError> {
        let ids: Vec<String> = differences
            .iter()
            .map(|difference| difference.payment.to_string())
            .collect();
        let origin = &self.request.origin;
        let entries: Vec<audit::Entry<'_>> = differences
            .iter()
            .zip(&ids)
            .map(|(difference, id)| audit::Entry {
                principal: &self.request.principal,
                client: origin.client.as_deref(),
                method: origin.rpc.unwrap_or(METHOD),
                key: self.request.key.as_str(),
                resource: Some(id),
                outcome: audit::Outcome::Part(difference.kind.name()),
                trace_id: origin.trace_id.as_deref(),
            })
            .collect();
        Ok(audit::record(conn, &entries).await?)
    }
}

pub(super) fn unsettled(payment: &Payment, message: &'static str) -> Difference {
    tracing::error!(
        payment.id = %payment.id,
        order.id = %payment.order_id,
        error = message,
        "our books differ from the provider's for good"
    );
    Difference {
        kind: Kind::Unsettled,
        payment: payment.id,
        order: payment.order_id,
        reference: payment.provider_reference.clone().unwrap_or_default(),
        amount: payment.amount(),
        message,
    }
}
