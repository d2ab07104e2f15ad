//! What the verbs answer. How an answer looks on the wire, and so how it is
//! kept under its key, is said in `grpc`.

use super::reconcile_order::Difference;
use crate::domain::{Order, Work, WorkKind};

/// The names under which keys are kept: those of the RPCs.
pub mod method {
    pub const CREATE_ORDER: &str = "CreateOrder";
    pub const CANCEL_ORDER: &str = "CancelOrder";
    pub const CREATE_FULFILLMENT: &str = "CreateFulfillment";
    pub const CREATE_RETURN: &str = "CreateReturn";
    pub const RECEIVE_RETURN: &str = "ReceiveReturn";
    pub const REFUND_ORDER: &str = "RefundOrder";
    pub const RECONCILE_ORDER: &str = "ReconcileOrder";
    pub const RETRY_SAGA: &str = "RetrySaga";
    pub const RESOLVE_SAGA: &str = "ResolveSaga";
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    Created(Order),
    Cancelled(Order),
    Fulfillment(Work, Order),
    ReturnAnnounced(Work),
    ReturnReceived(Work, Order),
    Refund(Work, Order),
    SagaRetried(Order),
    SagaResolved(Order),
    /// Without an order when there is none.
    Reconciled(Difference, Option<Order>),
}

impl Reply {
    /// Of the verb that waits for the end of a work.
    pub fn of_work(work: Work, order: Order) -> Self {
        match work.kind {
            WorkKind::Fulfillment => Self::Fulfillment(work, order),
            WorkKind::Return => Self::ReturnReceived(work, order),
            WorkKind::Refund => Self::Refund(work, order),
        }
    }
}

/// The verb that waits for the end of such a work.
pub fn method_of(kind: WorkKind) -> &'static str {
    match kind {
        WorkKind::Fulfillment => method::CREATE_FULFILLMENT,
        WorkKind::Return => method::RECEIVE_RETURN,
        WorkKind::Refund => method::REFUND_ORDER,
    }
}
