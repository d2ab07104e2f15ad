//! An order in somebody's hands: what is stored, what is known beyond that, and
//! what each answer of a peer makes of it.

use uuid::Uuid;

use super::{
    Answer, Effect, Hold, Kind, Order, Progress, Refusal, State, StateReason, Step, Task, Work,
    WorkKind, WorkState,
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

/// An answer that does not fit the question counts as a refusal: it must stop
/// the saga, not be overlooked.
pub(super) fn refusal_of(answer: Answer) -> Refusal {
    match answer {
        Answer::Refused(refusal) => refusal,
        Answer::HoldExpired => Refusal::new("RESERVATION_EXPIRED", "the hold ran out"),
        _ => Refusal::new("INTERNAL", "a peer gave an answer that does not fit"),
    }
}
