//! Transitions without I/O: every fact in every state, and any facts in any
//! order.

use payment_service::domain::{
    Account, Capture, Fact, Intent, IntentStatus, NewPayment, NextCheck, Payment, Refund,
    RefundSeen, Refused, State, TransferState, Verdict,
};
use proptest::prelude::*;
use types::{CaptureId, Money, OrderId, RefundId};

const AMOUNT: i64 = 1_000;

fn payment() -> Payment {
    Payment::begin(&NewPayment {
        order_id: OrderId::generate(),
        attempt: 1,
        amount: Money::new(AMOUNT, "GBP".parse().unwrap()),
        payment_method: "pm_card_visa".to_owned(),
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

/// What each status of the provider's intent makes of each state; `None`: it
/// does not fit, and nothing changes.
#[test]
fn every_status_in_every_state_has_the_outcome_of_this_table() {
    use State::*;
    let same = [
        Created,
        Processing,
        RequiresAction,
        Authorized,
        PartiallyCaptured,
        Captured,
        Voided,
        Declined,
        Expired,
        Failed,
    ];
    assert_eq!(same, State::ALL);
    let table: [(IntentStatus, [Option<State>; 10]); 7] = [
        (IntentStatus::Pending, same.map(Some)),
        (
            IntentStatus::ConfirmationRequired,
            [
                Some(RequiresAction),
                Some(RequiresAction),
                Some(RequiresAction),
                None,
                None,
                None,
                None,
                None,
                None,
                None,
            ],
        ),
        (
            action(),
            [
                Some(RequiresAction),
                Some(RequiresAction),
                Some(RequiresAction),
                None,
                None,
                None,
                None,
                None,
                None,
                None,
            ],
        ),
        (
            declined(),
            [
                Some(Declined),
                Some(Declined),
                Some(Declined),
                None,
                None,
                None,
                Some(Voided),
                Some(Declined),
                Some(Expired),
                Some(Failed),
            ],
        ),
        (
            IntentStatus::Authorized,
            [
                Some(Authorized),
                Some(Authorized),
                Some(Authorized),
                Some(Authorized),
                Some(PartiallyCaptured),
                Some(Captured),
                None,
                None,
                None,
                None,
            ],
        ),
        (
            canceled(false),
            [
                Some(Voided),
                Some(Voided),
                Some(Voided),
                Some(Voided),
                Some(Captured),
                Some(Captured),
                Some(Voided),
                Some(Declined),
                Some(Expired),
                Some(Failed),
            ],
        ),
        (
            canceled(true),
            [
                Some(Expired),
                Some(Expired),
                Some(Expired),
                Some(Expired),
                Some(Captured),
                Some(Captured),
                Some(Voided),
                Some(Declined),
                Some(Expired),
                Some(Failed),
            ],
        ),
    ];
    for (status, outcomes) in table {
        for (before, expected) in State::ALL.into_iter().zip(outcomes) {
            let mut account = in_state(before);
            let received = account.payment.captured_minor;
            let change = account.apply(&seen(status.clone(), received), true);
            let after = account.payment.state;
            let what = format!("{status:?} in {before:?}: {:?}", change.verdict);
            match expected {
                Some(expected) => {
                    assert_eq!(after, expected, "{what}");
                    assert!(!matches!(change.verdict, Verdict::Differs(_)), "{what}");
                }
                None => {
                    assert_eq!(after, before, "{what}");
                    assert!(matches!(change.verdict, Verdict::Differs(_)), "{what}");
                }
            }
            assert_eq!(change.happened.is_empty(), after == before, "{what}");
            // Hearing it again changes nothing more.
            let heard = account.clone();
            let again = account.apply(&seen(status.clone(), received), true);
            assert!(again.happened.is_empty() && !again.changed, "{what}");
            assert_eq!(account, heard, "{what}");
        }
    }
}

#[test]
fn what_is_old_and_does_not_fit_leads_to_a_question_and_what_is_fresh_does_not() {
    let fact = seen(IntentStatus::Authorized, 0);
    let old = in_state(State::Voided).apply(&fact, false);
    assert_eq!(old.next_check, NextCheck::Now);
    let fresh = in_state(State::Voided).apply(&fact, true);
    assert_eq!(fresh.next_check, NextCheck::AsPlanned);
}

#[test]
fn what_the_provider_has_taken_settles_the_captures_that_are_open() {
    let mut account = in_state(State::Authorized);
    begin_capture(&mut account, Some(400), false);
    account.apply(&seen(IntentStatus::Authorized, 400), false);
    assert_eq!(account.payment.state, State::PartiallyCaptured);
    assert_eq!(account.captures[0].state, TransferState::Succeeded);
    begin_capture(&mut account, None, true);
    account.apply(&seen(IntentStatus::Captured, AMOUNT), false);
    assert_eq!(account.payment.state, State::Captured);
    assert_eq!(account.payment.captured_minor, AMOUNT);
}

#[test]
fn money_taken_that_nobody_asked_for_is_not_booked() {
    let mut account = in_state(State::Authorized);
    let change = account.apply(&seen(IntentStatus::Captured, AMOUNT), true);
    assert!(matches!(change.verdict, Verdict::Differs(_)));
    assert_eq!(account.payment.captured_minor, 0);
    assert_eq!(account.payment.state, State::Authorized);
}

#[test]
fn what_is_being_captured_is_not_cancelled_before_that_is_known() {
    let mut account = in_state(State::Authorized);
    let id = begin_capture(&mut account, None, true);
    let change = account.apply(&seen(canceled(true), 0), false);
    assert_eq!(change.next_check, NextCheck::Now);
    assert_eq!(account.payment.state, State::Authorized);
    let refused = Fact::CaptureRefused {
        capture: id,
        code: "unexpected_state".to_owned(),
        gone: false,
    };
    account.apply(&refused, true);
    account.apply(&seen(canceled(true), 0), true);
    assert_eq!(account.payment.state, State::Expired);
}

#[test]
fn an_intent_for_another_amount_or_of_another_name_is_not_believed() {
    let mut account = account();
    let mut other = seen(IntentStatus::Authorized, 0);
    if let Fact::Seen(intent) = &mut other {
        intent.amount = Money::new(AMOUNT + 1, "GBP".parse().unwrap());
    }
    assert!(matches!(
        account.apply(&other, true).verdict,
        Verdict::Differs(_)
    ));
    assert_eq!(account.payment.state, State::Processing);
    let mut account = in_state(State::RequiresAction);
    let mut other = seen(IntentStatus::Authorized, 0);
    if let Fact::Seen(intent) = &mut other {
        intent.reference = "pi_2".to_owned();
    }
    assert!(matches!(
        account.apply(&other, true).verdict,
        Verdict::Differs(_)
    ));
    assert_eq!(account.payment.state, State::RequiresAction);
}

#[test]
fn what_may_be_asked_of_each_state_is_in_this_table() {
    for state in State::ALL {
        let capture = in_state(state).payment.begin_capture(None);
        let refund = in_state(state).payment.begin_refund(None);
        let void = in_state(state).payment.request_void();
        assert_eq!(capture.is_ok(), state.is_capturable(), "{state:?}");
        let has_money = matches!(state, State::PartiallyCaptured | State::Captured);
        assert_eq!(refund.is_ok(), has_money, "{state:?}");
        match void {
            Ok(something) => assert_eq!(something, !state.is_dead(), "{state:?}"),
            Err(error) => {
                assert!(has_money, "{state:?}");
                assert!(matches!(error, Refused::IllegalTransition { .. }));
            }
        }
        if state.is_unknown() {
            assert_eq!(capture, Err(Refused::OutcomeUnknown));
            assert_eq!(refund, Err(Refused::OutcomeUnknown));
        }
    }
}

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
