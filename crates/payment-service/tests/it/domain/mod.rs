//! Transitions without I/O: every fact in every state, and any facts in any
//! order.

mod any_order;
mod tables;

use payment_service::domain::{
    Account, Capture, Fact, Intent, IntentStatus, NewPayment, Payment, Refund, State, TransferState,
};
use types::{CaptureId, Money, OrderId, RefundId};

const AMOUNT: i64 = 1_000;

fn payment() -> Payment {
    Payment::begin(&NewPayment {
        order_id: OrderId::generate(),
        attempt: 1,
        amount: Money::new(AMOUNT, "GBP".parse().unwrap()),
        payment_method: "pm_card_visa".to_owned(),
        traceparent: None,
    })
}

fn account() -> Account {
    Account {
        payment: payment(),
        captures: Vec::new(),
        refunds: Vec::new(),
    }
}

fn seen(status: IntentStatus, received_minor: i64) -> Fact {
    let holds = status == IntentStatus::Authorized;
    Fact::Seen(Intent {
        reference: "pi_1".to_owned(),
        amount: Money::new(AMOUNT, "GBP".parse().unwrap()),
        capturable_minor: if holds { AMOUNT - received_minor } else { 0 },
        received_minor,
        status,
    })
}

fn declined() -> IntentStatus {
    IntentStatus::Declined {
        code: "no".to_owned(),
    }
}

fn canceled(expired: bool) -> IntentStatus {
    IntentStatus::Canceled { expired }
}

fn action() -> IntentStatus {
    IntentStatus::ActionRequired {
        url: Some("https://bank".to_owned()),
    }
}

/// A payment in this state, by the shortest way.
fn in_state(state: State) -> Account {
    let mut account = account();
    account.payment.provider_reference = Some("pi_1".to_owned());
    let mut apply = |fact: Fact| account.apply(&fact, true);
    match state {
        State::Created => account.payment.state = State::Created,
        State::Processing => {}
        State::RequiresAction => drop(apply(seen(action(), 0))),
        State::Authorized => drop(apply(seen(IntentStatus::Authorized, 0))),
        State::PartiallyCaptured => {
            apply(seen(IntentStatus::Authorized, 0));
            let id = begin_capture(&mut account, Some(400), false);
            account.apply(&Fact::Captured(id), true);
        }
        State::Captured => {
            apply(seen(IntentStatus::Authorized, 0));
            let id = begin_capture(&mut account, None, false);
            account.apply(&Fact::Captured(id), true);
        }
        State::Voided => drop(apply(seen(canceled(false), 0))),
        State::Declined => drop(apply(seen(declined(), 0))),
        State::Expired => drop(apply(seen(canceled(true), 0))),
        State::Failed => {
            account.payment.provider_reference = None;
            account.apply(&Fact::Absent, true);
        }
    }
    assert_eq!(account.payment.state, state);
    account
}

fn begin_capture(account: &mut Account, amount: Option<i64>, last: bool) -> CaptureId {
    let amount = amount.map(|minor| account.payment.money(minor));
    let amount_minor = account.payment.begin_capture(amount).unwrap();
    let capture = Capture {
        id: CaptureId::generate(),
        payment_id: account.payment.id,
        amount_minor,
        state: TransferState::Pending,
        last,
        failure_code: None,
        created_at: account.payment.created_at,
    };
    account.captures.push(capture.clone());
    capture.id
}

fn begin_refund(account: &mut Account, amount: Option<i64>) -> RefundId {
    let amount = amount.map(|minor| account.payment.money(minor));
    let amount_minor = account.payment.begin_refund(amount).unwrap();
    let refund = Refund {
        id: RefundId::generate(),
        payment_id: account.payment.id,
        order_id: account.payment.order_id,
        amount_minor,
        currency: account.payment.currency,
        state: TransferState::Pending,
        reason: String::new(),
        provider_reference: None,
        failure_code: None,
        version: 1,
        created_at: account.payment.created_at,
    };
    account.refunds.push(refund.clone());
    refund.id
}
