//! One payment of random verbs, lost answers and late, repeated and reordered
//! webhooks, against the provider's books: ours may lag behind them, never lead,
//! and agree as soon as everything has been told.

use payment_service::domain::{Account, IntentStatus, NewPayment, State};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use simulation::money::{Money, Target};
use simulation::provider::{Line, Manners};
use types::{Money as Amount, OrderId};
use uuid::Uuid;

const AMOUNT: i64 = 1_000;
/// What is asked for under each key: the same key always asks for the same.
const CAPTURES: [(Option<i64>, bool); 4] = [
    (None, true),
    (Some(400), false),
    (Some(300), true),
    (Some(600), false),
];
const REFUNDS: [Option<i64>; 4] = [Some(100), Some(400), Some(1_000), None];

/// What was asked for so far: no more may have happened.
#[derive(Debug, Clone, Default)]
struct Asked {
    manners: Manners,
    created: bool,
    captures: [bool; 4],
    refunds: [bool; 4],
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Create(Line),
    Capture(usize, Line),
    Refund(usize, Line),
    Void(Line),
    CustomerActs,
    TimeIsUp,
    RefundsArrive,
    /// Some webhook, perhaps an old one.
    Told(usize),
    Reconciles(Line),
    /// Everything is told and nothing is lost.
    Settles,
}

impl ReferenceStateMachine for Asked {
    type State = Asked;
    type Transition = Event;

    fn init_state() -> BoxedStrategy<Asked> {
        let flags = (
            prop::bool::weighted(0.1),
            prop::bool::weighted(0.2),
            any::<bool>(),
        );
        (flags, 0..2_u8, 0..3_u8)
            .prop_map(
                |((declines, wants_action, slow_refunds), captures, refunds)| Asked {
                    manners: Manners {
                        declines,
                        wants_action,
                        refuses_captures: captures,
                        refuses_refunds: refunds,
                        slow_refunds,
                    },
                    ..Asked::default()
                },
            )
            .boxed()
    }

    fn transitions(asked: &Asked) -> BoxedStrategy<Event> {
        let line =
            || prop_oneof![4 => Just(Line::Clear), 1 => Just(Line::Down), 2 => Just(Line::Deaf)];
        if !asked.created {
            return line().prop_map(Event::Create).boxed();
        }
        prop_oneof![
            2 => line().prop_map(Event::Create),
            4 => (0..4_usize, line()).prop_map(|(key, line)| Event::Capture(key, line)),
            4 => (0..4_usize, line()).prop_map(|(key, line)| Event::Refund(key, line)),
            1 => line().prop_map(Event::Void),
            2 => Just(Event::CustomerActs),
            1 => Just(Event::TimeIsUp),
            1 => Just(Event::RefundsArrive),
            6 => any::<usize>().prop_map(Event::Told),
            3 => line().prop_map(Event::Reconciles),
            2 => Just(Event::Settles),
        ]
        .boxed()
    }

    fn apply(mut asked: Asked, event: &Event) -> Asked {
        match event {
            Event::Create(_) => asked.created = true,
            Event::Capture(key, _) => asked.captures[*key] = true,
            Event::Refund(key, _) => asked.refunds[*key] = true,
            _ => {}
        }
        asked
    }
}

/// `LAX`: with keys that are not kept.
struct Books<const LAX: bool> {
    money: Money,
}

impl<const LAX: bool> Books<LAX> {
    fn id(&self) -> types::PaymentId {
        self.money.entries[0].account.payment.id
    }

    fn account(&self) -> Option<&Account> {
        self.money.entries.first().map(|entry| &entry.account)
    }

    fn settle(&mut self) {
        self.money.line = Line::Clear;
        self.money.provider.manners.refuses_refunds = 0;
        for _ in 0..4 {
            self.money.provider.end_refunds();
            let told = self.money.provider.events.len();
            (0..told).rev().for_each(|event| self.money.hear(event));
            self.money.reconcile();
        }
        self.assert_agree();
    }

    fn assert_agree(&self) {
        let Some(account) = self.account() else {
            return;
        };
        let payment = &account.payment;
        let held = self.money.provider.held(payment.id);
        let held = held.expect("an attempt that was begun is made in the end");
        assert_eq!(payment.captured_minor, held.intent.received_minor, "M4");
        assert_eq!(payment.refunded_minor, held.refunded_minor(), "M4");
        assert_eq!(
            (payment.capture_pending_minor, payment.refund_pending_minor),
            (0, 0)
        );
        let state = payment.state;
        let fits = match held.intent.status {
            IntentStatus::Authorized => {
                !payment.void_requested
                    && matches!(state, State::Authorized | State::PartiallyCaptured)
                    || state == State::PartiallyCaptured
            }
            IntentStatus::Captured => state == State::Captured,
            IntentStatus::Declined { .. } => state == State::Declined,
            IntentStatus::ActionRequired { .. } => {
                state == State::RequiresAction && !payment.void_requested
            }
            IntentStatus::Canceled { .. } => matches!(state, State::Voided | State::Expired),
            IntentStatus::Pending | IntentStatus::ConfirmationRequired => false,
        };
        assert!(fits, "{state:?} here, {:?} there", held.intent.status);
    }
}

impl<const LAX: bool> StateMachineTest for Books<LAX> {
    type SystemUnderTest = Self;
    type Reference = Asked;

    fn init_test(asked: &Asked) -> Self {
        let mut money = Money::default();
        money.provider.manners = asked.manners;
        money.bugs.no_keys = LAX;
        Books { money }
    }

    fn apply(mut books: Self, _: &Asked, event: Event) -> Self {
        let money = &mut books.money;
        match event {
            Event::Create(line) => {
                money.line = line;
                drop(money.create("pay:1", &new_payment()));
            }
            Event::Capture(key, line) => {
                money.line = line;
                let (minor, last) = CAPTURES[key];
                let id = books.id();
                let name = format!("capture:{key}");
                drop(books.money.capture(&name, id, minor.map(amount), last));
            }
            Event::Refund(key, line) => {
                money.line = line;
                let id = books.id();
                let name = format!("refund:{key}");
                drop(books.money.refund(&name, id, REFUNDS[key].map(amount)));
            }
            Event::Void(line) => {
                money.line = line;
                drop(money.void("void", Target::Order));
            }
            Event::CustomerActs => drop(money.provider.customers_act()),
            Event::TimeIsUp => drop(money.provider.time_is_up()),
            Event::RefundsArrive => money.provider.end_refunds(),
            Event::Told(any) => {
                let told = money.provider.events.len();
                if told > 0 {
                    money.hear(any % told);
                }
            }
            Event::Reconciles(line) => {
                money.line = line;
                money.reconcile();
            }
            Event::Settles => books.settle(),
        }
        books.money.line = Line::Clear;
        books
    }

    fn check_invariants(books: &Self, asked: &Asked) {
        let Some(account) = books.account() else {
            return;
        };
        let payment = &account.payment;
        let (captured, refunded) = (payment.captured_minor, payment.refunded_minor);
        let pending = (payment.capture_pending_minor, payment.refund_pending_minor);
        assert!(captured + pending.0 <= payment.authorized_minor, "M1");
        assert!(refunded + pending.1 <= captured, "M1");
        assert!(!payment.state.is_dead() || captured == 0, "M2");
        let owed = books.money.balances().get("provider").copied().unwrap_or(0);
        assert_eq!(owed, captured - refunded, "M3");
        assert_eq!(
            books
                .money
                .ledger
                .iter()
                .map(|leg| leg.amount_minor)
                .sum::<i64>(),
            0,
            "M3"
        );
        let held = books.money.provider.held(payment.id);
        let theirs = held.map_or((0, 0), |held| {
            (held.intent.received_minor, held.refunded_minor())
        });
        assert!(captured <= theirs.0, "M4: we count money that nobody has");
        assert!(books.money.provider.payments.len() <= 1, "M5");
        let asked_for = |amounts: &[Option<i64>], asked: &[bool]| {
            let asked = amounts.iter().zip(asked).filter(|(_, asked)| **asked);
            asked
                .map(|(amount, _)| amount.unwrap_or(AMOUNT))
                .sum::<i64>()
        };
        let captures = CAPTURES.map(|(amount, _)| amount);
        assert!(
            theirs.0 <= asked_for(&captures, &asked.captures),
            "taken unasked"
        );
        assert!(
            theirs.1 <= asked_for(&REFUNDS, &asked.refunds),
            "paid back unasked"
        );
        assert!(theirs.1 <= theirs.0, "more was paid back than taken");
    }

    fn teardown(mut books: Self, _: Asked) {
        books.settle();
    }
}

fn amount(minor: i64) -> Amount {
    Amount::new(minor, "GBP".parse().unwrap())
}

fn new_payment() -> NewPayment {
    NewPayment {
        order_id: OrderId::from_uuid(Uuid::from_u128(1)),
        attempt: 1,
        amount: amount(AMOUNT),
        payment_method: "pm_card_visa".to_owned(),
        traceparent: None,
    }
}

prop_state_machine! {
    #![proptest_config(Config {
        failure_persistence: None,
        ..Config::with_cases(1_000)
    })]

    #[test]
    fn our_books_follow_those_of_the_provider(sequential 1..50 => Books<false>);
}

#[test]
fn a_key_that_is_not_kept_is_found_out() {
    let config = Config {
        failure_persistence: None,
        ..Config::with_cases(1_000)
    };
    let walks = Asked::sequential_strategy(1..50);
    let outcome = TestRunner::new(config.clone()).run(&walks, |(start, events, seen)| {
        Books::<true>::test_sequential(config.clone(), start, events, seen);
        Ok(())
    });
    assert!(outcome.is_err(), "nobody noticed");
}
