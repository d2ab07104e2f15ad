//! Whatever is asked in whatever order, the amounts of an intent keep in order.

use std::collections::BTreeMap;

use payment_simulator::books::intent::{CaptureMethod, ConfirmationMethod, Intent, Status};
use payment_simulator::methods::Method;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Ask {
    Confirm(&'static str),
    CompleteAction(bool),
    Capture(Option<i64>, bool),
    Cancel,
    Refund(Option<i64>),
}

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    let method = prop_oneof![
        Just("pm_card_visa"),
        Just("pm_card_chargeDeclined"),
        Just("pm_card_authenticationRequired"),
        Just("pm_sim_capture_fails"),
    ];
    let amount = prop::option::of(1i64..1500);
    let ask = prop_oneof![
        method.prop_map(Ask::Confirm),
        any::<bool>().prop_map(Ask::CompleteAction),
        (amount.clone(), any::<bool>()).prop_map(|(amount, last)| Ask::Capture(amount, last)),
        Just(Ask::Cancel),
        amount.prop_map(Ask::Refund),
    ];
    prop::collection::vec(ask, 0..20)
}

fn new_intent(capture_method: CaptureMethod) -> Intent {
    Intent {
        id: "pi_1".to_owned(),
        sequence: 1,
        created: 1,
        amount_minor: 1000,
        currency: "gbp".to_owned(),
        capture_method,
        confirmation_method: ConfirmationMethod::Automatic,
        status: Status::RequiresPaymentMethod,
        challenge_passed: false,
        authorized: false,
        captured_minor: 0,
        refunded_minor: 0,
        method: None,
        charge: None,
        last_error: None,
        canceled_at: None,
        cancellation_reason: None,
        description: None,
        metadata: BTreeMap::new(),
        client_secret: "secret".to_owned(),
    }
}

fn carry_out(intent: &mut Intent, ask: &Ask) -> bool {
    let charge = "ch_1".to_owned();
    match ask {
        Ask::Confirm(method) => intent.confirm(Method::named(method), charge).is_ok(),
        Ask::CompleteAction(passed) => intent.complete_action(*passed, charge).is_ok(),
        Ask::Capture(amount, last) => intent.capture(*amount, *last).is_ok(),
        Ask::Cancel => intent.cancel(None, 2).is_ok(),
        Ask::Refund(amount) => intent.refund(*amount).is_ok(),
    }
}

proptest! {
    #[test]
    fn refunded_is_within_captured_is_within_authorized(asks in asks(), manual: bool) {
        let method = if manual { CaptureMethod::Manual } else { CaptureMethod::Automatic };
        let mut intent = new_intent(method);
        for ask in asks {
            let before = intent.clone();
            let done = carry_out(&mut intent, &ask);
            prop_assert!(intent.refunded_minor >= 0);
            prop_assert!(intent.refunded_minor <= intent.captured_minor);
            prop_assert!(intent.captured_minor + intent.capturable_minor() <= intent.amount_minor);
            prop_assert!(intent.captured_minor == 0 || intent.authorized);
            prop_assert!(intent.captured_minor >= before.captured_minor);
            if !done {
                prop_assert_eq!(intent.status, before.status);
                prop_assert_eq!(intent.captured_minor, before.captured_minor);
                prop_assert_eq!(intent.refunded_minor, before.refunded_minor);
            }
            if matches!(before.status, Status::Canceled | Status::Succeeded) {
                prop_assert_eq!(intent.status, before.status);
            }
        }
    }
}
