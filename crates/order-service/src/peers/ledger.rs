//! What a payment, as the peer shows it, means for an order.

use api::common::v1::Money as PbMoney;
use api::payment::v1 as pb;
use types::PaymentId;

use super::failure::Failure;
use crate::domain::{Answer, PaymentBook, Refusal};

pub(super) fn id(payment: &pb::Payment) -> Option<PaymentId> {
    PaymentId::parse(&payment.id).ok()
}

fn known(payment: &pb::Payment) -> Result<PaymentId, Failure> {
    id(payment).ok_or_else(|| Failure::later("the peer's payment has no id"))
}

fn minor(money: Option<&PbMoney>) -> i64 {
    money.map_or(0, |money| money.minor_units)
}

pub(super) fn authorization(payment: &pb::Payment) -> Result<Answer, Failure> {
    match payment.state() {
        pb::PaymentState::Authorized
        | pb::PaymentState::PartiallyCaptured
        | pb::PaymentState::Captured => Ok(Answer::Authorized(known(payment)?)),
        pb::PaymentState::RequiresAction => Ok(Answer::ActionRequired {
            payment: known(payment)?,
            url: payment.action.clone().unwrap_or_default().redirect_url,
        }),
        pb::PaymentState::Unspecified
        | pb::PaymentState::Created
        | pb::PaymentState::Processing => {
            Err(Failure::later("the payment's outcome is not known yet"))
        }
        pb::PaymentState::Voided
        | pb::PaymentState::Declined
        | pb::PaymentState::Expired
        | pb::PaymentState::Failed => Err(Failure::Refused(
            Refusal::new("PAYMENT_DECLINED", "the payment was declined")
                .with("decline_code", &payment.decline_code),
        )),
    }
}

pub(super) fn has_captured(payment: &pb::Payment) -> bool {
    minor(payment.captured.as_ref()) > 0
}

pub(super) fn is_pending(payment: &pb::Payment) -> bool {
    minor(payment.capture_pending.as_ref()) > 0
}

pub(super) fn captured(payment: &pb::Payment) -> Result<Answer, Failure> {
    Ok(Answer::Captured {
        payment: known(payment)?,
        minor: minor(payment.captured.as_ref()),
    })
}

pub(super) fn succeeded(state: Option<i32>) -> bool {
    state == Some(pb::TransferState::Succeeded as i32)
}

pub(super) fn has_refunded_all(payment: &pb::Payment) -> bool {
    minor(payment.refunded.as_ref()) == minor(payment.captured.as_ref())
}

/// A void was refused: is there something to pay back, or nothing at all?
pub(super) fn why_not_void(payment: &pb::Payment, refusal: Refusal) -> Result<Answer, Failure> {
    if has_captured(payment) {
        return captured(payment);
    }
    if is_pending(payment) {
        return Err(Failure::later("a capture is pending at the provider"));
    }
    match payment.state() {
        pb::PaymentState::Voided
        | pb::PaymentState::Declined
        | pb::PaymentState::Expired
        | pb::PaymentState::Failed => Ok(Answer::Voided(id(payment))),
        _ => Err(Failure::Refused(refusal)),
    }
}

/// Where one refund of a payment stands.
pub(super) fn refund(payment: &pb::Payment, id: &str) -> Result<Answer, Failure> {
    let Some(refund) = payment.refunds.iter().find(|refund| refund.id == id) else {
        return Err(Failure::later("the peer does not show the refund yet"));
    };
    match refund.state() {
        pb::TransferState::Succeeded => Ok(Answer::Done),
        pb::TransferState::Failed => Err(Failure::Refused(
            Refusal::new("REFUND_REFUSED", "the provider refused the refund")
                .with("failure_code", &refund.failure_code),
        )),
        pb::TransferState::Pending | pb::TransferState::Unspecified => {
            Err(Failure::later("the refund is pending at the provider"))
        }
    }
}

/// A payment as it stands beside its order.
pub(super) fn book(payment: &pb::Payment) -> Result<PaymentBook, Failure> {
    use pb::PaymentState as State;
    let returning_minor = minor(payment.refund_pending.as_ref());
    let state = payment.state();
    let is_unknown = matches!(
        state,
        State::Unspecified | State::Created | State::Processing
    );
    Ok(PaymentBook {
        id: known(payment)?,
        is_held: is_unknown || matches!(state, State::RequiresAction | State::Authorized),
        is_open: is_unknown || is_pending(payment) || returning_minor > 0,
        captured_minor: minor(payment.captured.as_ref()),
        refunded_minor: minor(payment.refunded.as_ref()),
        returning_minor,
    })
}
