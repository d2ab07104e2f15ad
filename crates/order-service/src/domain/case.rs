//! An order in somebody's hands: what is stored, what is known beyond that, and
//! what each answer of a peer makes of it.

use types::PaymentId;
use uuid::Uuid;

use super::{
    Answer, CaptureMethod, Effect, Hold, Kind, Order, Progress, Refusal, State, StateReason, Step,
    Target, Task, Work, WorkKind, WorkState,
};

/// One order under a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    pub order: Order,
    /// Those that run, oldest first.
    pub works: Vec<Work>,
    pub hold: Hold,
    pub round: u8,
    pub capture_refused: bool,
    /// The goods of the oldest work are back on the shelves.
    pub restocked: bool,
    /// Nobody before this run can have asked a peer for anything.
    pub first_run: bool,
    pub asked_to_pay: bool,
    /// The customer has not done in time what the payment needs.
    pub action_overdue: bool,
    /// The stored lines lack prices.
    pub unpriced: bool,
}

/// What an answer leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    /// On to the next step; what was learnt is known in memory only.
    Go,
    /// Write the order and this event.
    Write(Change),
    /// Somebody outside has to act first.
    Wait,
}

/// One write of an order: an event, and what goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub kind: Kind,
    /// `None` when the order is new.
    pub from: Option<State>,
    pub reason: StateReason,
    /// The lines' counts changed.
    pub counted: bool,
    pub closed: Vec<Closed>,
}

/// A work that has come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    pub work: Work,
    /// Why it failed.
    pub refusal: Option<Refusal>,
}

const DECLINED: &str = "PAYMENT_DECLINED";

impl Case {
    /// An order as loaded from the store.
    pub fn loaded(order: Order, works: Vec<Work>, action_overdue: bool) -> Self {
        let waited = order.state == State::AwaitingPaymentAction;
        Self {
            hold: match order.saga.stock {
                Effect::Done => Hold::Committed,
                Effect::Begun if waited => Hold::Held,
                Effect::Absent | Effect::Begun | Effect::Undone => Hold::Unknown,
            },
            unpriced: order.total.is_none(),
            order,
            works,
            round: 1,
            capture_refused: false,
            restocked: false,
            first_run: false,
            asked_to_pay: false,
            action_overdue,
        }
    }

    /// An order that was stored a moment ago, by this process.
    pub fn placed(order: Order) -> Self {
        Self {
            first_run: true,
            ..Self::loaded(order, Vec::new(), false)
        }
    }

    pub fn progress(&self) -> Progress {
        let saga = &self.order.saga;
        Progress {
            state: self.order.state,
            stock: saga.stock,
            payment: saga.payment,
            capture: saga.capture,
            hold: self.hold,
            round: self.round,
            capture_refused: self.capture_refused,
            kept: self.order.captured_minor > self.order.refunded_minor,
            task: self.works.first().map(|work| task(work, self.restocked)),
        }
    }

    pub fn work(&self, id: Uuid) -> Option<&Work> {
        self.works.iter().find(|work| work.id == id)
    }

    /// Takes a peer's answer to `step` in. Pure: the caller writes.
    pub fn apply(&mut self, step: Step, answer: Answer) -> Then {
        match step {
            Step::Reserve { round } => self.reserved(round, answer),
            Step::Pay => self.paid(answer),
            Step::AskPayment => self.asked(answer),
            Step::Commit { round } => self.committed(round, answer),
            Step::Confirm => self.confirm(),
            Step::Capture => self.captured(answer),
            Step::DropAttempt => self.dropped(answer),
            Step::Work(task) => self.worked(task, answer),
            Step::RefundRest => self.refunded(answer),
            Step::Void => self.voided(answer),
            Step::Release => self.released(answer),
            Step::Conclude => self.conclude(),
            Step::Rest => Then::Wait,
        }
    }

    fn reserved(&mut self, round: u8, answer: Answer) -> Then {
        match answer {
            Answer::Reserved(prices) => {
                self.hold = Hold::Held;
                if round > 1 {
                    return Then::Go;
                }
                if let Err(refusal) = self.order.price(&prices) {
                    self.never_paid();
                    return self.turn_back(Target::Rejected, refusal);
                }
                if self.order.is_free() {
                    self.order.saga.payment = Effect::Absent;
                }
                Then::Go
            }
            Answer::Refused(refusal) if round == 1 && self.nothing_stands(&refusal) => {
                self.order.saga.stock = Effect::Absent;
                self.order.saga.payment = Effect::Absent;
                self.end(State::Rejected, Kind::Rejected, refusal)
            }
            other => self.turn_back(Target::Rejected, refusal_of(other)),
        }
    }

    /// A first Reserve that is refused all or nothing holds nothing, and money
    /// is asked for after it only. The peer keeps the refusal under the key, so
    /// a late copy of the call gets it too, and no tombstone is needed.
    fn nothing_stands(&self, refusal: &Refusal) -> bool {
        self.first_run
            && !self.asked_to_pay
            && matches!(refusal.code.as_str(), "OUT_OF_STOCK" | "UNKNOWN_SKU")
    }

    fn never_paid(&mut self) {
        if self.first_run && !self.asked_to_pay {
            self.order.saga.payment = Effect::Absent;
        }
    }

    fn paid(&mut self, answer: Answer) -> Then {
        self.asked_to_pay = true;
        let confirmed = self.order.state.is_confirmed();
        match answer {
            Answer::Authorized(payment) => {
                self.order.saga.payment = Effect::Done;
                self.order.payment_id = Some(payment);
                if !confirmed {
                    return Then::Go;
                }
                self.order.saga.capture = Effect::Begun;
                Then::Write(self.change(Kind::PaymentAuthorized))
            }
            Answer::ActionRequired { payment, url } if !confirmed => {
                self.order.payment_id = Some(payment);
                self.order.action_url = url;
                let from = self.order.state;
                self.order.state = State::AwaitingPaymentAction;
                Then::Write(self.changed(from, Kind::PaymentActionRequired))
            }
            Answer::ActionRequired { .. } => {
                let refusal = Refusal::new(
                    "CAPTURE_REFUSED",
                    "the authorization was lost and a new one needs the customer",
                );
                self.turn_back(Target::Cancelled, refusal)
            }
            other => {
                let refusal = refusal_of(other);
                if refusal.code == DECLINED {
                    self.order.saga.payment = Effect::Undone;
                }
                match confirmed {
                    true => self.turn_back(Target::Cancelled, capture_refused(&refusal)),
                    false => self.turn_back(Target::Rejected, refusal),
                }
            }
        }
    }

    fn asked(&mut self, answer: Answer) -> Then {
        match answer {
            Answer::Authorized(payment) => {
                self.order.saga.payment = Effect::Done;
                self.order.payment_id = Some(payment);
                Then::Go
            }
            Answer::ActionRequired { .. } if self.action_overdue => self.action_timeout(),
            Answer::ActionRequired { .. } => Then::Wait,
            other => {
                let refusal = refusal_of(other);
                if refusal.code == DECLINED {
                    self.order.saga.payment = Effect::Undone;
                }
                self.turn_back(Target::Rejected, refusal)
            }
        }
    }

    fn action_timeout(&mut self) -> Then {
        let refusal = Refusal::new(
            "PAYMENT_ACTION_TIMEOUT",
            "the customer did not do in time what the payment needs",
        );
        self.turn_back(Target::Rejected, refusal)
    }

    fn committed(&mut self, round: u8, answer: Answer) -> Then {
        match answer {
            Answer::Done => {
                self.hold = Hold::Committed;
                Then::Go
            }
            Answer::HoldExpired if round == 1 => {
                self.hold = Hold::Unknown;
                self.round = 2;
                Then::Go
            }
            Answer::HoldExpired => {
                let message = "the stock was held twice and ran out twice";
                let refusal = Refusal::new("RESERVATION_EXPIRED", message);
                self.turn_back(Target::Rejected, refusal)
            }
            other => self.turn_back(Target::Rejected, refusal_of(other)),
        }
    }

    fn confirm(&mut self) -> Then {
        let from = self.order.state;
        let automatic = self.order.capture_method == CaptureMethod::Automatic;
        self.order.saga.stock = Effect::Done;
        if automatic && self.order.saga.payment == Effect::Done {
            self.order.saga.capture = Effect::Begun;
        }
        self.order.state = State::Confirmed;
        self.order.action_url = String::new();
        Then::Write(self.changed(from, Kind::Confirmed))
    }

    fn captured(&mut self, answer: Answer) -> Then {
        let compensating = self.order.state == State::Compensating;
        match answer {
            Answer::Captured { payment, minor } => self.note_captured(payment, minor),
            // Settled: nothing was taken, so the authorization can be voided.
            _ if compensating => {
                self.order.saga.capture = Effect::Undone;
                Then::Go
            }
            _ if self.order.saga.attempt == 1 => {
                self.capture_refused = true;
                Then::Go
            }
            other => {
                self.order.saga.capture = Effect::Undone;
                self.turn_back(Target::Cancelled, capture_refused(&refusal_of(other)))
            }
        }
    }

    fn note_captured(&mut self, payment: PaymentId, minor: i64) -> Then {
        self.order.saga.capture = Effect::Done;
        self.order.payment_id = Some(payment);
        self.order.captured_minor = minor;
        Then::Write(self.change(Kind::PaymentCaptured))
    }

    fn dropped(&mut self, answer: Answer) -> Then {
        self.capture_refused = false;
        if let Answer::Captured { payment, minor } = answer {
            return self.note_captured(payment, minor);
        }
        let saga = &mut self.order.saga;
        saga.attempt += 1;
        saga.payment = Effect::Begun;
        saga.capture = Effect::Absent;
        self.order.payment_id = None;
        Then::Write(self.change(Kind::PaymentRetried))
    }

    fn refunded(&mut self, answer: Answer) -> Then {
        match answer {
            Answer::Done => {
                self.order.refunded_minor = self.order.captured_minor;
                self.order.saga.payment = Effect::Undone;
                self.order.saga.capture = Effect::Undone;
                Then::Write(self.change(Kind::Refunded))
            }
            other => self.needs_attention(refusal_of(other)),
        }
    }

    fn voided(&mut self, answer: Answer) -> Then {
        match answer {
            Answer::Voided(payment) => {
                self.order.saga.payment = Effect::Undone;
                self.order.payment_id = payment.or(self.order.payment_id);
                Then::Go
            }
            // Somebody captured it behind our back: it is paid back next.
            Answer::Captured { payment, minor } => self.note_captured(payment, minor),
            other => self.needs_attention(refusal_of(other)),
        }
    }

    fn released(&mut self, answer: Answer) -> Then {
        match answer {
            Answer::Done => {
                self.order.saga.stock = Effect::Undone;
                Then::Go
            }
            other => self.needs_attention(refusal_of(other)),
        }
    }

    fn conclude(&mut self) -> Then {
        let target = self.order.saga.target.unwrap_or(Target::Cancelled);
        let from = self.order.state;
        self.order.state = target.state();
        Then::Write(match target {
            Target::Cancelled => self.changed(from, Kind::Cancelled),
            Target::Rejected => self.changed(from, Kind::Rejected),
        })
    }

    /// From here on the order can only be undone. Shipments that wait for the
    /// money are refused with it.
    pub(super) fn turn_back(&mut self, target: Target, refusal: Refusal) -> Then {
        let shipments: Vec<Uuid> = self
            .works
            .iter()
            .filter(|work| work.kind == WorkKind::Fulfillment)
            .map(|work| work.id)
            .collect();
        let closed: Vec<Closed> = shipments
            .into_iter()
            .filter_map(|id| self.close(id, Some(refusal.clone())))
            .collect();
        self.order.saga.target = Some(target);
        let mut then = self.end(State::Compensating, Kind::Compensating, refusal);
        if let Then::Write(change) = &mut then {
            change.closed = closed;
        }
        then
    }

    pub(super) fn needs_attention(&mut self, refusal: Refusal) -> Then {
        self.order.saga.stopped_in = Some(self.order.state);
        self.end(State::NeedsAttention, Kind::NeedsAttention, refusal)
    }

    fn end(&mut self, state: State, kind: Kind, refusal: Refusal) -> Then {
        let from = self.order.state;
        let first = from == State::Pending || from == State::AwaitingPaymentAction;
        self.order.state = state;
        self.order.action_url = String::new();
        self.order.reason = StateReason::new(&refusal.code, &refusal.message);
        if first && state != State::NeedsAttention {
            self.order.saga.refusal = Some(refusal);
        }
        Then::Write(self.changed(from, kind))
    }

    /// Too old to go on trying.
    pub fn give_up(&mut self, last_error: &str) -> Then {
        let message = format!("gave up after trying for too long: {last_error}");
        match self.order.state {
            State::Pending => self.turn_back(Target::Rejected, Refusal::new("TIMED_OUT", message)),
            State::AwaitingPaymentAction => self.action_timeout(),
            _ => self.needs_attention(Refusal::new("SAGA_STUCK", message)),
        }
    }

    pub(super) fn close(&mut self, id: Uuid, refusal: Option<Refusal>) -> Option<Closed> {
        let place = self.works.iter().position(|work| work.id == id)?;
        let mut work = self.works.remove(place);
        self.restocked = false;
        work.state = match &refusal {
            Some(refusal) => {
                work.failure = refusal.code.clone();
                WorkState::Failed
            }
            None => WorkState::Done,
        };
        Some(Closed { work, refusal })
    }

    pub(super) fn change(&self, kind: Kind) -> Change {
        self.changed(self.order.state, kind)
    }

    pub(super) fn changed(&self, from: State, kind: Kind) -> Change {
        let reason = match from == self.order.state {
            true => StateReason::default(),
            false => self.order.reason.clone(),
        };
        Change {
            kind,
            from: Some(from),
            reason,
            counted: false,
            closed: Vec::new(),
        }
    }
}

fn task(work: &Work, restocked: bool) -> Task {
    let owed = work.amount.is_some_and(|amount| !amount.is_zero());
    match work.kind {
        WorkKind::Fulfillment => Task::Ship(work.id),
        WorkKind::Return if work.restock && !restocked => Task::Restock(work.id),
        WorkKind::Return | WorkKind::Refund if owed => Task::PayBack(work.id),
        WorkKind::Return | WorkKind::Refund => Task::Close(work.id),
    }
}

fn capture_refused(cause: &Refusal) -> Refusal {
    let message = format!("the money could not be captured: {}", cause.message);
    Refusal::new("CAPTURE_REFUSED", message).with("cause", &cause.code)
}

/// An answer that does not fit the question counts as a refusal: it must stop
/// the saga, not be overlooked.
pub(super) fn refusal_of(answer: Answer) -> Refusal {
    match answer {
        Answer::Refused(refusal) => refusal,
        Answer::HoldExpired => Refusal::new("RESERVATION_EXPIRED", "the hold ran out"),
        _ => Refusal::new("INTERNAL", "a peer gave an answer that does not fit"),
    }
}
