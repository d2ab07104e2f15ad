//! Requests as tests want them, and what a refusal says.

use api::common::v1 as common;
use api::payment::v1 as pb;
use rpc::{Reason, Remote};
use tonic::{Request, Response, Status};
use types::{Money, OrderId};

pub fn gbp(minor: i64) -> common::Money {
    Money::new(minor, "GBP".parse().unwrap()).into()
}

pub fn creation(
    order: OrderId,
    attempt: i32,
    amount_minor: i64,
    method: &str,
) -> pb::CreatePaymentRequest {
    pb::CreatePaymentRequest {
        order_id: order.to_string(),
        attempt,
        amount: Some(gbp(amount_minor)),
        payment_method: method.to_owned(),
    }
}

pub fn capturing(payment: &str, amount: Option<i64>) -> pb::CapturePaymentRequest {
    pb::CapturePaymentRequest {
        payment_id: payment.to_owned(),
        amount: amount.map(gbp),
        r#final: false,
        etag: String::new(),
    }
}

pub fn refunding(payment: &str, amount: Option<i64>) -> pb::RefundPaymentRequest {
    pb::RefundPaymentRequest {
        payment_id: payment.to_owned(),
        amount: amount.map(gbp),
        reason: "came back".to_owned(),
        etag: String::new(),
    }
}

pub fn voiding(payment: &str) -> pb::VoidPaymentRequest {
    pb::VoidPaymentRequest {
        target: Some(pb::void_payment_request::Target::PaymentId(
            payment.to_owned(),
        )),
        reason: "changed his mind".to_owned(),
        etag: String::new(),
    }
}

pub fn voiding_order(order: OrderId) -> pb::VoidPaymentRequest {
    pb::VoidPaymentRequest {
        target: Some(pb::void_payment_request::Target::OrderId(order.to_string())),
        reason: "changed his mind".to_owned(),
        etag: String::new(),
    }
}

pub fn keyed<T>(key: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let key = key.parse().expect("a key that fits into metadata");
    request.metadata_mut().insert("idempotency-key", key);
    request
}

/// Whether an answer was given before.
pub fn is_replayed<T>(response: &Response<T>) -> bool {
    response.metadata().get("idempotent-replayed").is_some()
}

pub fn reason<T: std::fmt::Debug>(result: Result<T, Status>) -> Reason {
    let status = result.expect_err("a refusal");
    let told = Remote::from(&status).reason;
    told.unwrap_or_else(|| panic!("no reason in {status:?}"))
}

pub fn decline_code<T: std::fmt::Debug>(result: Result<T, Status>) -> String {
    let remote = Remote::from(&result.expect_err("a refusal"));
    remote.metadata["decline_code"].clone()
}
