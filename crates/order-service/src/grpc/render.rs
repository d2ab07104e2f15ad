//! What the app gives into messages, and how an answer is kept under its key.

use api::order::v1 as pb;
use api::to_timestamp;
use idempotency::{Answer, Saved};
use prost::Message;
use tonic::{Response, Status};

use crate::app::{Difference, Finding, Reply, Settled};
use crate::domain::{Effect, Order};
use crate::wire;

impl Answer for Reply {
    fn saved(&self) -> Saved {
        let body = match self {
            Reply::Created(order) => pb::CreateOrderResponse {
                order: Some(wire::order(order)),
            }
            .encode_to_vec(),
            Reply::Cancelled(order) => pb::CancelOrderResponse {
                order: Some(wire::order(order)),
            }
            .encode_to_vec(),
            Reply::Fulfillment(work, order) => pb::CreateFulfillmentResponse {
                fulfillment: Some(wire::fulfillment(work)),
                order: Some(wire::order(order)),
            }
            .encode_to_vec(),
            Reply::ReturnAnnounced(work) => pb::CreateReturnResponse {
                order_return: Some(wire::order_return(work)),
            }
            .encode_to_vec(),
            Reply::ReturnReceived(work, order) => pb::ReceiveReturnResponse {
                order_return: Some(wire::order_return(work)),
                order: Some(wire::order(order)),
            }
            .encode_to_vec(),
            Reply::Refund(work, order) => pb::RefundOrderResponse {
                refund_id: work.id.to_string(),
                state: i32::from(work.state.number()),
                amount: work.amount.map(Into::into),
                order: Some(wire::order(order)),
            }
            .encode_to_vec(),
            Reply::SagaRetried(order) => pb::RetrySagaResponse {
                saga: Some(saga(order)),
            }
            .encode_to_vec(),
            Reply::SagaResolved(order) => pb::ResolveSagaResponse {
                saga: Some(saga(order)),
            }
            .encode_to_vec(),
            Reply::Reconciled(found, order) => pb::ReconcileOrderResponse {
                difference: difference(*found).into(),
                order: order.as_ref().map(wire::order),
            }
            .encode_to_vec(),
        };
        Saved { code: 0, body }
    }
}

/// The stored bytes are the answer, for the first caller as for a repeat.
pub(super) fn settled<M: Message + Default>(settled: Settled) -> Result<Response<M>, Status> {
    let answer = rpc::respond(idempotency::Outcome::Replayed(settled.saved), |()| {
        M::default()
    });
    if settled.replayed {
        return answer;
    }
    match answer {
        Ok(response) => Ok(Response::new(response.into_inner())),
        Err(status) => {
            let details = status.details().to_vec().into();
            Err(Status::with_details(
                status.code(),
                status.message(),
                details,
            ))
        }
    }
}

pub(super) fn saga(order: &Order) -> pb::Saga {
    let saga = &order.saga;
    pb::Saga {
        order_id: order.id.to_string(),
        state: wire::state(order.state),
        stock: effect(saga.stock),
        payment: effect(saga.payment),
        capture: effect(saga.capture),
        payment_attempt: i32::from(saga.attempt),
        epoch: saga.epoch,
        tries: saga.tries,
        last_error: saga.last_error.clone(),
        next_run_time: saga.next_run_at.map(to_timestamp),
        lease_time: saga.lease_until.map(to_timestamp),
        create_time: Some(to_timestamp(order.created_at)),
    }
}

fn difference(difference: Difference) -> pb::OrderDifference {
    match difference {
        Difference::None => pb::OrderDifference::None,
        Difference::Running => pb::OrderDifference::Running,
        Difference::TakenOver => pb::OrderDifference::TakenOver,
        Difference::Undone => pb::OrderDifference::Undone,
        Difference::GivenBack => pb::OrderDifference::GivenBack,
    }
}

fn effect(effect: Effect) -> i32 {
    i32::from(effect.number())
}

pub(super) fn finding(finding: Finding) -> api::common::v1::AuditFinding {
    api::common::v1::AuditFinding {
        invariant: finding.invariant.to_owned(),
        description: finding.description.to_owned(),
        violations: finding.violations,
        samples: finding.samples,
    }
}
