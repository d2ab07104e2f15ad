//! Requests of the contract as what the app takes; every violation is named.

use api::common::v1 as common;
use api::payment::v1 as pb;
use chrono::{DateTime, Utc};
use rpc::{Fields, Problem};
use types::{Money, OrderId, PaymentId, RefundId};

use crate::app::{Confirmation, NewCapture, NewRefund, NewVoid, Target};
use crate::domain::{AMOUNT_MINOR_MAX, ATTEMPT_MAX, NewPayment, State};

const METHOD_CHARS_MAX: usize = 255;
const REASON_CHARS_MAX: usize = 200;

pub fn create_payment(request: &pb::CreatePaymentRequest) -> Result<NewPayment, Problem> {
    let mut fields = Fields::default();
    let order_id = fields.parse("order_id", OrderId::parse(&request.order_id));
    let attempt = attempt(&mut fields, request.attempt);
    let amount = amount(&mut fields, request.amount.as_ref());
    let payment_method = payment_method(&mut fields, &request.payment_method);
    let new = order_id.zip(attempt).zip(amount).zip(payment_method);
    fields.finish(new.map(
        |(((order_id, attempt), amount), payment_method)| NewPayment {
            order_id,
            attempt,
            amount,
            payment_method,
            traceparent: None,
        },
    ))
}

pub fn confirm_payment(request: &pb::ConfirmPaymentRequest) -> Result<Confirmation, Problem> {
    let mut fields = Fields::default();
    let payment = fields.parse("payment_id", PaymentId::parse(&request.payment_id));
    let etag = fields.etag("etag", &request.etag);
    fields.finish(
        payment
            .zip(etag)
            .map(|(payment, read_version)| Confirmation {
                payment,
                read_version,
            }),
    )
}

pub fn capture_payment(request: &pb::CapturePaymentRequest) -> Result<NewCapture, Problem> {
    let mut fields = Fields::default();
    let payment = fields.parse("payment_id", PaymentId::parse(&request.payment_id));
    let amount = optional_amount(&mut fields, request.amount.as_ref());
    let etag = fields.etag("etag", &request.etag);
    let new = payment.zip(amount).zip(etag);
    fields.finish(new.map(|((payment, amount), read_version)| NewCapture {
        payment,
        amount,
        last: request.r#final,
        read_version,
    }))
}

pub fn void_payment(request: &pb::VoidPaymentRequest) -> Result<NewVoid, Problem> {
    use pb::void_payment_request::Target as Asked;
    let mut fields = Fields::default();
    let target = match &request.target {
        Some(Asked::PaymentId(id)) => payment_target(&mut fields, id),
        Some(Asked::OrderId(id)) => order_target(&mut fields, id),
        None => no_target(&mut fields),
    };
    let reason = reason(&mut fields, &request.reason);
    let etag = fields.etag("etag", &request.etag);
    let new = target.zip(reason).zip(etag);
    fields.finish(new.map(|((target, reason), read_version)| NewVoid {
        target,
        reason,
        read_version,
    }))
}

pub fn refund_payment(
    id: RefundId,
    request: &pb::RefundPaymentRequest,
) -> Result<NewRefund, Problem> {
    let mut fields = Fields::default();
    let payment = fields.parse("payment_id", PaymentId::parse(&request.payment_id));
    let amount = optional_amount(&mut fields, request.amount.as_ref());
    let reason = reason(&mut fields, &request.reason);
    let etag = fields.etag("etag", &request.etag);
    let new = payment.zip(amount).zip(reason).zip(etag);
    fields.finish(
        new.map(|(((payment, amount), reason), read_version)| NewRefund {
            id,
            payment,
            amount,
            reason,
            read_version,
        }),
    )
}

pub fn get_payment(request: &pb::GetPaymentRequest) -> Result<Target, Problem> {
    use pb::get_payment_request::Target as Asked;
    let mut fields = Fields::default();
    let target = match &request.target {
        Some(Asked::PaymentId(id)) => payment_target(&mut fields, id),
        Some(Asked::OrderId(id)) => order_target(&mut fields, id),
        None => no_target(&mut fields),
    };
    fields.finish(target)
}

pub fn get_refund(request: &pb::GetRefundRequest) -> Result<RefundId, Problem> {
    let mut fields = Fields::default();
    let refund = fields.parse("refund_id", RefundId::parse(&request.refund_id));
    fields.finish(refund)
}

/// From when on the provider's books are looked through.
pub fn reconcile_provider(
    request: &pb::ReconcileProviderRequest,
) -> Result<DateTime<Utc>, Problem> {
    let mut fields = Fields::default();
    let from = request.created_from.as_ref();
    let from = from.and_then(api::from_timestamp);
    if from.is_none() {
        fields.refuse("created_from", "must be a time");
    }
    fields.finish(from)
}

/// The filters of a list: what is empty does not filter.
pub fn filters(
    payment_id: &str,
    order_id: &str,
) -> Result<(Option<PaymentId>, Option<OrderId>), Problem> {
    let mut fields = Fields::default();
    let payment = optional(payment_id, PaymentId::parse);
    let payment = fields.parse("payment_id", payment);
    let order = optional(order_id, OrderId::parse);
    let order = fields.parse("order_id", order);
    fields.finish(payment.zip(order))
}

/// `None`: all states.
pub fn state_filter(state: i32) -> Result<Option<State>, Problem> {
    let mut fields = Fields::default();
    let known = match pb::PaymentState::try_from(state) {
        Ok(pb::PaymentState::Unspecified) => Some(None),
        Ok(known) => {
            let found = State::ALL.into_iter();
            let mut found = found.filter(|state| crate::message::state(*state) == known);
            found.next().map(Some)
        }
        Err(_) => None,
    };
    if known.is_none() {
        fields.refuse("state", "must be a known state, or unspecified for all");
    }
    fields.finish(known)
}

fn attempt(fields: &mut Fields, attempt: i32) -> Option<i32> {
    if (1..=ATTEMPT_MAX).contains(&attempt) {
        return Some(attempt);
    }
    fields.refuse(
        "attempt",
        format!("must be 1 to {ATTEMPT_MAX}, got {attempt}"),
    );
    None
}

fn amount(fields: &mut Fields, amount: Option<&common::Money>) -> Option<Money> {
    let money = fields.money("amount", amount)?;
    if (1..=AMOUNT_MINOR_MAX).contains(&money.minor()) {
        return Some(money);
    }
    fields.refuse(
        "amount.minor_units",
        format!("must be 1 to {AMOUNT_MINOR_MAX}, got {}", money.minor()),
    );
    None
}

fn optional_amount(fields: &mut Fields, given: Option<&common::Money>) -> Option<Option<Money>> {
    match given {
        Some(_) => amount(fields, given).map(Some),
        None => Some(None),
    }
}

/// A token of the provider. The value is not repeated in the error: it may be
/// what it must not be.
fn payment_method(fields: &mut Fields, method: &str) -> Option<String> {
    let chars = method.chars().count();
    let is_number = method
        .chars()
        .all(|found| found.is_ascii_digit() || matches!(found, ' ' | '-'));
    if chars == 0
        || chars > METHOD_CHARS_MAX
        || !method.chars().all(|c| c.is_ascii_graphic() || c == ' ')
    {
        fields.refuse(
            "payment_method",
            format!("must be 1 to {METHOD_CHARS_MAX} printable ASCII characters"),
        );
        None
    } else if is_number {
        fields.refuse(
            "payment_method",
            "must be a token of the payment provider, never a card number",
        );
        None
    } else {
        Some(method.to_owned())
    }
}

fn reason(fields: &mut Fields, reason: &str) -> Option<String> {
    fields.text("reason", reason, REASON_CHARS_MAX)
}

fn payment_target(fields: &mut Fields, id: &str) -> Option<Target> {
    let id = fields.parse("payment_id", PaymentId::parse(id));
    id.map(Target::Payment)
}

fn order_target(fields: &mut Fields, id: &str) -> Option<Target> {
    let id = fields.parse("order_id", OrderId::parse(id));
    id.map(Target::Order)
}

fn no_target(fields: &mut Fields) -> Option<Target> {
    fields.refuse("target", "must be a payment_id or an order_id");
    None
}

fn optional<T, E>(text: &str, parse: impl Fn(&str) -> Result<T, E>) -> Result<Option<T>, E> {
    match text.is_empty() {
        true => Ok(None),
        false => parse(text).map(Some),
    }
}
