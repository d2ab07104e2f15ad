//! The domain as messages of the contract: the same in answers and in events.

use api::common::v1 as common;
use api::payment::v1 as pb;
use api::to_timestamp;

use crate::domain::{Capture, LedgerAccount, Payment, Refund, State, TransferState};
use crate::store::ledger_entries::Entry;

/// Without its captures and refunds.
pub fn payment(payment: &Payment) -> pb::Payment {
    let money = |minor| Some(common::Money::from(payment.money(minor)));
    pb::Payment {
        id: payment.id.to_string(),
        order_id: payment.order_id.to_string(),
        attempt: payment.attempt,
        state: state(payment.state).into(),
        amount: money(payment.amount_minor),
        authorized: money(payment.authorized_minor),
        captured: money(payment.captured_minor),
        capture_pending: money(payment.capture_pending_minor),
        refunded: money(payment.refunded_minor),
        refund_pending: money(payment.refund_pending_minor),
        action: action(payment),
        decline_code: payment.decline_code.clone().unwrap_or_default(),
        provider_reference: payment.provider_reference.clone().unwrap_or_default(),
        captures: Vec::new(),
        refunds: Vec::new(),
        create_time: Some(to_timestamp(payment.created_at)),
        update_time: Some(to_timestamp(payment.updated_at)),
        etag: rpc::etag(payment.version),
    }
}

fn action(payment: &Payment) -> Option<pb::PaymentAction> {
    (payment.state == State::RequiresAction).then(|| pb::PaymentAction {
        redirect_url: payment.action_url.clone().unwrap_or_default(),
    })
}

pub fn capture(payment: &Payment, capture: &Capture) -> pb::Capture {
    pb::Capture {
        id: capture.id.to_string(),
        payment_id: capture.payment_id.to_string(),
        amount: Some(payment.money(capture.amount_minor).into()),
        state: transfer_state(capture.state).into(),
        failure_code: capture.failure_code.clone().unwrap_or_default(),
        create_time: Some(to_timestamp(capture.created_at)),
    }
}

pub fn refund(refund: &Refund) -> pb::Refund {
    pb::Refund {
        id: refund.id.to_string(),
        payment_id: refund.payment_id.to_string(),
        order_id: refund.order_id.to_string(),
        amount: Some(refund.amount().into()),
        state: transfer_state(refund.state).into(),
        reason: refund.reason.clone(),
        failure_code: refund.failure_code.clone().unwrap_or_default(),
        create_time: Some(to_timestamp(refund.created_at)),
        etag: rpc::etag(refund.version),
    }
}

pub fn ledger_entry(entry: &Entry) -> pb::LedgerEntry {
    pb::LedgerEntry {
        id: entry.id,
        transaction_id: entry.transaction.to_string(),
        payment_id: entry.payment_id.to_string(),
        order_id: entry.order_id.to_string(),
        account: ledger_account(entry.account).into(),
        amount: Some(entry.amount.into()),
        time: Some(to_timestamp(entry.recorded_at)),
    }
}

pub fn state(state: State) -> pb::PaymentState {
    match state {
        State::Created => pb::PaymentState::Created,
        State::Processing => pb::PaymentState::Processing,
        State::RequiresAction => pb::PaymentState::RequiresAction,
        State::Authorized => pb::PaymentState::Authorized,
        State::PartiallyCaptured => pb::PaymentState::PartiallyCaptured,
        State::Captured => pb::PaymentState::Captured,
        State::Voided => pb::PaymentState::Voided,
        State::Declined => pb::PaymentState::Declined,
        State::Expired => pb::PaymentState::Expired,
        State::Failed => pb::PaymentState::Failed,
    }
}

fn transfer_state(state: TransferState) -> pb::TransferState {
    match state {
        TransferState::Pending => pb::TransferState::Pending,
        TransferState::Succeeded => pb::TransferState::Succeeded,
        TransferState::Failed => pb::TransferState::Failed,
    }
}

fn ledger_account(account: LedgerAccount) -> pb::LedgerAccount {
    match account {
        LedgerAccount::Provider => pb::LedgerAccount::Provider,
        LedgerAccount::Sales => pb::LedgerAccount::Sales,
        LedgerAccount::Refunds => pb::LedgerAccount::Refunds,
    }
}
