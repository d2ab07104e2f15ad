//! Every fact in every state.

use payment_service::domain::{
    Fact, IntentStatus, NextCheck, Refused, State, TransferState, Verdict,
};
use types::Money;

use super::{AMOUNT, account, action, begin_capture, canceled, declined, in_state, seen};

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
fn what_does_not_fit_leads_to_a_question_at_once_if_it_may_be_old() {
    let fact = seen(IntentStatus::Authorized, 0);
    let old = in_state(State::Voided).apply(&fact, false);
    assert_eq!(old.next_check, NextCheck::Now);
    let fresh = in_state(State::Voided).apply(&fact, true);
    assert_eq!(fresh.next_check, NextCheck::Later);
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
