//! Any facts in any order.

use payment_service::domain::{Account, Fact, IntentStatus, RefundSeen, TransferState};
use proptest::prelude::*;

use super::{AMOUNT, account, action, begin_capture, begin_refund, canceled, declined, seen};

#[derive(Debug, Clone)]
enum Step {
    Seen(IntentStatus, i64, bool),
    BeginCapture(Option<i64>, bool),
    Captured(usize),
    CaptureRefused(usize, bool),
    BeginRefund(Option<i64>),
    Refund(usize, TransferState),
    Void,
    Refused,
    Absent,
}

fn status() -> impl Strategy<Value = IntentStatus> {
    prop_oneof![
        Just(IntentStatus::Pending),
        Just(IntentStatus::ConfirmationRequired),
        Just(action()),
        Just(declined()),
        Just(IntentStatus::Authorized),
        Just(IntentStatus::Captured),
        any::<bool>().prop_map(canceled),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let amount = || proptest::option::of(1..AMOUNT + 200);
    let transfer = prop_oneof![
        Just(TransferState::Pending),
        Just(TransferState::Succeeded),
        Just(TransferState::Failed)
    ];
    prop_oneof![
        4 => (status(), 0..=AMOUNT, any::<bool>())
            .prop_map(|(status, received, fresh)| Step::Seen(status, received, fresh)),
        2 => Just(Step::Seen(IntentStatus::Authorized, 0, true)),
        3 => (amount(), any::<bool>()).prop_map(|(amount, last)| Step::BeginCapture(amount, last)),
        3 => (0..6_usize).prop_map(Step::Captured),
        1 => (0..6_usize, any::<bool>()).prop_map(|(i, gone)| Step::CaptureRefused(i, gone)),
        3 => amount().prop_map(Step::BeginRefund),
        3 => (0..6_usize, transfer).prop_map(|(i, state)| Step::Refund(i, state)),
        1 => Just(Step::Void),
        1 => Just(Step::Refused),
        1 => Just(Step::Absent),
    ]
}

fn take(account: &mut Account, step: &Step) {
    let pick = |length: usize, index: usize| (length > 0).then(|| index % length);
    match step {
        Step::Seen(status, received, fresh) => {
            account.apply(&seen(status.clone(), *received), *fresh);
        }
        Step::BeginCapture(amount, last) => {
            let asked = amount.map(|minor| account.payment.money(minor));
            if account.payment.clone().begin_capture(asked).is_ok() {
                begin_capture(account, *amount, *last);
            }
        }
        Step::Captured(index) => {
            if let Some(index) = pick(account.captures.len(), *index) {
                let id = account.captures[index].id;
                account.apply(&Fact::Captured(id), true);
            }
        }
        Step::CaptureRefused(index, gone) => {
            if let Some(index) = pick(account.captures.len(), *index) {
                let fact = Fact::CaptureRefused {
                    capture: account.captures[index].id,
                    code: "no".to_owned(),
                    gone: *gone,
                };
                account.apply(&fact, true);
            }
        }
        Step::BeginRefund(amount) => {
            let asked = amount.map(|minor| account.payment.money(minor));
            if account.payment.clone().begin_refund(asked).is_ok() {
                begin_refund(account, *amount);
            }
        }
        Step::Refund(index, state) => {
            if let Some(index) = pick(account.refunds.len(), *index) {
                let fact = Fact::Refund(RefundSeen {
                    refund: account.refunds[index].id,
                    reference: Some("re_1".to_owned()),
                    state: *state,
                    failure_code: None,
                });
                account.apply(&fact, true);
            }
        }
        Step::Void => drop(account.payment.request_void()),
        Step::Refused => {
            let code = "no".to_owned();
            account.apply(&Fact::Refused { code }, true);
        }
        Step::Absent => drop(account.apply(&Fact::Absent, true)),
    }
}

fn assert_amounts(account: &Account) {
    let payment = &account.payment;
    let captured = |state| {
        let of_state = account
            .captures
            .iter()
            .filter(|capture| capture.state == state);
        of_state.map(|capture| capture.amount_minor).sum::<i64>()
    };
    let refunded = |state| {
        let of_state = account
            .refunds
            .iter()
            .filter(|refund| refund.state == state);
        of_state.map(|refund| refund.amount_minor).sum::<i64>()
    };
    assert_eq!(payment.captured_minor, captured(TransferState::Succeeded));
    assert_eq!(
        payment.capture_pending_minor,
        captured(TransferState::Pending)
    );
    assert_eq!(payment.refunded_minor, refunded(TransferState::Succeeded));
    assert_eq!(
        payment.refund_pending_minor,
        refunded(TransferState::Pending)
    );
    assert!(payment.captured_minor + payment.capture_pending_minor <= payment.authorized_minor);
    assert!(payment.refunded_minor + payment.refund_pending_minor <= payment.captured_minor);
    let expected = if payment.state.is_funded() { AMOUNT } else { 0 };
    assert_eq!(payment.authorized_minor, expected, "{:?}", payment.state);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn any_facts_in_any_order_keep_the_amounts_sound(
        steps in proptest::collection::vec(step(), 1..40)
    ) {
        let mut account = account();
        let mut was_dead = None;
        for step in &steps {
            take(&mut account, step);
            assert_amounts(&account);
            // What has ended stays as it ended.
            if let Some(dead) = was_dead {
                prop_assert_eq!(account.payment.state, dead);
            }
            if account.payment.state.is_dead() {
                was_dead = Some(account.payment.state);
            }
        }
    }
}
