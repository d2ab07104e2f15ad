//! The pure saga against a model of the peers: whatever fails, however often,
//! and whenever the process dies, an order ends, one way, and what it had begun
//! is done or undone.

use order_service::domain::{
    Answer, CaptureMethod, Case, Effect, Hold, NewLine, NewOrder, Order, Refusal, State, Step,
    Then, next_step,
};
use proptest::prelude::*;
use types::{Currency, CustomerId, Money, OrderId, PaymentId, Quantity, Sku};

/// What happens at one step.
#[derive(Debug, Clone, Copy)]
enum Luck {
    Well,
    /// Nothing happens.
    Fails,
    /// It happens, and nobody hears of it.
    Lost,
    /// A definite no, where there is one.
    Refused,
    /// It happens, and the process dies before it can write.
    DiesAfter,
    DiesBefore,
    /// The client cancels just before.
    Cancelled,
    HoldExpires,
}

/// The peers' books for one order.
#[derive(Debug, Default)]
struct Peers {
    held: bool,
    committed: bool,
    released: bool,
    voided: bool,
    authorized: Option<(i16, PaymentId)>,
    declined: bool,
    captured: i64,
    refunded: i64,
    refuses_capture: bool,
    refuses_reserve: bool,
}

fn no(code: &str) -> Answer {
    Answer::Refused(Refusal::new(code, "no"))
}

impl Peers {
    fn act(&mut self, order: &Order, step: Step, refuse: bool) -> Answer {
        match step {
            Step::Reserve { .. } => self.reserve(order, refuse),
            Step::Commit { .. } if self.held && !self.released => {
                self.committed = true;
                Answer::Done
            }
            Step::Commit { .. } if self.released => no("RESERVATION_RELEASED"),
            Step::Commit { .. } => Answer::HoldExpired,
            Step::Release => {
                self.released = true;
                self.held = false;
                self.committed = false;
                Answer::Done
            }
            Step::Pay => self.pay(order, refuse),
            Step::Capture => self.capture(order, refuse),
            Step::DropAttempt => {
                self.authorized = None;
                Answer::Voided(order.payment_id)
            }
            Step::Void if self.captured > self.refunded => no("ILLEGAL_TRANSITION"),
            Step::Void => {
                self.voided = true;
                self.authorized = None;
                Answer::Voided(None)
            }
            Step::RefundRest => {
                self.refunded = self.captured;
                Answer::Done
            }
            Step::AskPayment | Step::Work(_) => panic!("not in this model: {step:?}"),
            Step::Confirm | Step::Conclude | Step::Rest => Answer::Done,
        }
    }

    fn reserve(&mut self, order: &Order, refuse: bool) -> Answer {
        self.refuses_reserve |= refuse && !self.held;
        if self.released {
            return no("RESERVATION_RELEASED");
        }
        if self.refuses_reserve {
            return no("OUT_OF_STOCK");
        }
        self.held = true;
        let price = Some(Money::new(250, order.currency));
        Answer::Reserved(
            order
                .lines
                .iter()
                .map(|line| (line.sku.clone(), price))
                .collect(),
        )
    }

    fn pay(&mut self, order: &Order, refuse: bool) -> Answer {
        if let Some((attempt, id)) = self.authorized {
            assert_eq!(attempt, order.saga.attempt, "one live payment at a time");
            return Answer::Authorized(id);
        }
        self.declined |= refuse;
        if self.voided {
            return no("PAYMENT_VOIDED");
        }
        if self.declined {
            return no("PAYMENT_DECLINED");
        }
        let id = PaymentId::generate();
        self.authorized = Some((order.saga.attempt, id));
        Answer::Authorized(id)
    }

    fn capture(&mut self, order: &Order, refuse: bool) -> Answer {
        let payment = order.payment_id.expect("only what is paid is captured");
        if self.captured == 0 {
            self.refuses_capture |= refuse;
            if self.refuses_capture || self.authorized.is_none() {
                return no("CAPTURE_REFUSED");
            }
            self.captured = order.total.expect("a price").minor();
        }
        Answer::Captured {
            payment,
            minor: self.captured,
        }
    }
}

fn new_order(capture_method: CaptureMethod) -> Order {
    let currency = Currency::parse("GBP").unwrap();
    let new = NewOrder {
        id: OrderId::generate(),
        customer_id: CustomerId::parse("anna").unwrap(),
        reference: String::new(),
        currency,
        lines: vec![NewLine {
            sku: Sku::parse("pen").unwrap(),
            quantity: Quantity::try_from(3).unwrap(),
            unit_price: None,
        }],
        payment_method: "pm".to_owned(),
        capture_method,
        expected_total: None,
    };
    new.placed(None, chrono::DateTime::UNIX_EPOCH)
}

/// Runs until the saga rests. Only what was written survives a death.
fn run(order: Order, lucks: &[Luck]) -> (Order, Peers, Vec<State>) {
    let mut peers = Peers::default();
    let mut stored = order.clone();
    let mut case = Case::placed(order);
    let mut states = vec![State::Pending];
    let mut lucks = lucks.iter().copied();
    for _ in 0..400 {
        let step = next_step(&case.progress());
        if step == Step::Rest {
            return (stored, peers, states);
        }
        let luck = lucks.next().unwrap_or(Luck::Well);
        match luck {
            Luck::Fails => continue,
            Luck::DiesBefore => {
                case = Case::loaded(stored.clone(), Vec::new(), false);
                continue;
            }
            Luck::Cancelled => {
                // A command reads what is stored, not what somebody knows.
                case = Case::loaded(stored.clone(), Vec::new(), false);
                if let Ok(Some(_)) = case.cancel("") {
                    states.push(case.order.state);
                    stored = case.order.clone();
                }
                continue;
            }
            Luck::HoldExpires => {
                peers.held &= peers.committed;
                continue;
            }
            Luck::Well | Luck::Lost | Luck::Refused | Luck::DiesAfter => {}
        }
        let answer = peers.act(&case.order, step, matches!(luck, Luck::Refused));
        match luck {
            Luck::Lost => continue,
            Luck::DiesAfter => {
                case = Case::loaded(stored.clone(), Vec::new(), false);
                continue;
            }
            _ => {}
        }
        if let Then::Write(_) = case.apply(step, answer) {
            let (from, to) = (stored.state, case.order.state);
            assert!(from == to || from.may_become(to), "{from:?} to {to:?}");
            if from != to {
                states.push(to);
            }
            stored = case.order.clone();
        }
    }
    panic!("the saga never rests: {stored:?}");
}

fn luck() -> impl Strategy<Value = Luck> {
    prop_oneof![
        6 => Just(Luck::Well),
        2 => Just(Luck::Fails),
        2 => Just(Luck::Lost),
        1 => Just(Luck::Refused),
        2 => Just(Luck::DiesAfter),
        2 => Just(Luck::DiesBefore),
        1 => Just(Luck::Cancelled),
        1 => Just(Luck::HoldExpires),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn an_order_ends_one_way_and_the_books_agree(
        lucks in proptest::collection::vec(luck(), 0..40),
        automatic in any::<bool>(),
    ) {
        let method = if automatic { CaptureMethod::Automatic } else { CaptureMethod::Manual };
        let (order, peers, states) = run(new_order(method), &lucks);
        match order.state {
            State::Confirmed => {
                prop_assert!(peers.committed && peers.held && !peers.released);
                prop_assert!(peers.authorized.is_some());
                let captured = if automatic { 750 } else { 0 };
                prop_assert_eq!((peers.captured, peers.refunded), (captured, 0));
                prop_assert_eq!(order.captured_minor, captured);
                prop_assert!(!states.contains(&State::Compensating));
            }
            State::Cancelled | State::Rejected => {
                prop_assert!(!peers.held && !peers.committed, "stock is left: {:?}", peers);
                let promised = peers.authorized.is_some() && peers.captured == 0;
                prop_assert!(!promised, "an authorization is left: {:?}", peers);
                prop_assert_eq!(peers.captured, peers.refunded);
                prop_assert_eq!(order.captured_minor, order.refunded_minor);
                for effect in [order.saga.stock, order.saga.payment, order.saga.capture] {
                    prop_assert!(matches!(effect, Effect::Absent | Effect::Undone));
                }
            }
            other => prop_assert!(false, "ended in {:?}", other),
        }
        let both = states.contains(&State::Cancelled) && states.contains(&State::Rejected);
        prop_assert!(!both);
    }
}

#[test]
fn a_stored_order_is_taken_up_with_what_is_known_of_it() {
    let mut order = new_order(CaptureMethod::Automatic);
    assert_eq!(
        Case::loaded(order.clone(), Vec::new(), false).hold,
        Hold::Unknown
    );
    order.state = State::AwaitingPaymentAction;
    assert_eq!(
        Case::loaded(order.clone(), Vec::new(), false).hold,
        Hold::Held
    );
    order.saga.stock = Effect::Done;
    assert_eq!(Case::loaded(order, Vec::new(), false).hold, Hold::Committed);
}
