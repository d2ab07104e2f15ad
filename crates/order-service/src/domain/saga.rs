//! The reconciler's one decision: what is the next step of this order?
//!
//! Each effect on a peer goes `Absent → Begun → Done → Undone`. `Begun` means
//! asked, answer unknown: it is safe to repeat, because the peers know the
//! order's own keys, and must be undone, because the peers remember an undo
//! that comes before its original. Progress in memory may therefore run ahead
//! of what is stored.

use types::PaymentId;
use types::{Money, Sku};
use uuid::Uuid;

use super::{Refusal, State};

/// Numbers are stored, and equal those of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    Absent = 1,
    Begun = 2,
    Done = 3,
    Undone = 4,
}

impl Effect {
    pub fn number(self) -> i16 {
        self as i16
    }

    pub fn from_number(number: i16) -> Option<Self> {
        [Self::Absent, Self::Begun, Self::Done, Self::Undone]
            .into_iter()
            .find(|effect| effect.number() == number)
    }

    /// May there be something at the peer that has to be taken back?
    pub fn must_be_undone(self) -> bool {
        matches!(self, Effect::Begun | Effect::Done)
    }
}

/// The stock of an order on its way to be committed; known in memory only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hold {
    Unknown,
    Held,
    Committed,
}

/// What is left to do for the oldest work that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Task {
    Ship(Uuid),
    Restock(Uuid),
    PayBack(Uuid),
    /// Nothing at any peer; the work itself has to be closed.
    Close(Uuid),
}

/// All that the decision depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Progress {
    pub state: State,
    pub stock: Effect,
    pub payment: Effect,
    pub capture: Effect,
    pub hold: Hold,
    /// 2 after a hold ran out.
    pub round: u8,
    /// The provider refused to capture this attempt.
    pub capture_refused: bool,
    /// Money of the customer that we have.
    pub kept: bool,
    pub task: Option<Task>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    Reserve {
        round: u8,
    },
    Pay,
    /// Has the customer done what the payment needs?
    AskPayment,
    Commit {
        round: u8,
    },
    /// The pivot; asks nobody.
    Confirm,
    Capture,
    /// Gives up an attempt whose capture was refused.
    DropAttempt,
    Work(Task),
    /// Pays back everything that is left.
    RefundRest,
    Void,
    Release,
    /// Everything is undone; asks nobody.
    Conclude,
    /// Nothing is left to do.
    Rest,
}

impl Step {
    /// Is somebody asked?
    pub fn asks_peer(self) -> bool {
        !matches!(
            self,
            Step::Confirm | Step::Conclude | Step::Rest | Step::Work(Task::Close(_))
        )
    }
}

/// The whole saga, both ways.
pub fn next_step(p: &Progress) -> Step {
    use State::{
        AwaitingPaymentAction, Cancelled, Compensating, Confirmed, Fulfilled, NeedsAttention,
        PartiallyFulfilled, Pending, Rejected,
    };
    match (p.state, p.hold) {
        (Pending | AwaitingPaymentAction, Hold::Unknown) => Step::Reserve { round: p.round },
        (Pending, Hold::Held) if p.payment == Effect::Begun => Step::Pay,
        (AwaitingPaymentAction, Hold::Held) if p.payment == Effect::Begun => Step::AskPayment,
        (Pending | AwaitingPaymentAction, Hold::Held) => Step::Commit { round: p.round },
        (Pending | AwaitingPaymentAction, Hold::Committed) => Step::Confirm,

        (Confirmed | PartiallyFulfilled | Fulfilled, _) => match (p.payment, p.capture, p.task) {
            (Effect::Begun, _, _) => Step::Pay,
            (_, Effect::Begun, _) if p.capture_refused => Step::DropAttempt,
            (_, Effect::Begun, _) => Step::Capture,
            (_, _, Some(task)) => Step::Work(task),
            (_, _, None) => Step::Rest,
        },

        // A capture that may have happened is settled before anything else:
        // void or refund hangs on it.
        (Compensating, _) if p.capture == Effect::Begun => Step::Capture,
        (Compensating, _) => match (p.task, p.kept) {
            (Some(task), _) => Step::Work(task),
            (None, true) => Step::RefundRest,
            (None, false) if p.payment.must_be_undone() => Step::Void,
            (None, false) if p.stock.must_be_undone() => Step::Release,
            (None, false) => Step::Conclude,
        },

        (Cancelled | Rejected | NeedsAttention, _) => Step::Rest,
    }
}

/// What a peer said to a step. Transient failures are none of these: they
/// leave everything as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The list price of each SKU.
    Reserved(Vec<(Sku, Option<Money>)>),
    /// The hold ran out before it was committed.
    HoldExpired,
    Authorized(PaymentId),
    ActionRequired {
        payment: PaymentId,
        url: String,
    },
    /// So much of the payment is captured, now or before.
    Captured {
        payment: PaymentId,
        minor: i64,
    },
    Voided(Option<PaymentId>),
    /// Done as asked.
    Done,
    /// A definite no.
    Refused(Refusal),
}

#[cfg(test)]
mod tests {
    use Effect::{Absent, Begun, Done, Undone};
    use Hold::{Committed, Held, Unknown};
    use State::{
        AwaitingPaymentAction, Cancelled, Compensating, Confirmed, Fulfilled, NeedsAttention,
        PartiallyFulfilled, Pending, Rejected,
    };

    use super::*;

    fn at(state: State, stock: Effect, payment: Effect, capture: Effect, hold: Hold) -> Progress {
        Progress {
            state,
            stock,
            payment,
            capture,
            hold,
            round: 1,
            capture_refused: false,
            kept: false,
            task: None,
        }
    }

    #[test]
    fn the_steps_of_an_order_follow_the_table() {
        let task = Some(Task::PayBack(Uuid::nil()));
        let ship = Task::Ship(Uuid::nil());
        let table = [
            // forward
            (
                at(Pending, Begun, Begun, Absent, Unknown),
                Step::Reserve { round: 1 },
            ),
            (at(Pending, Begun, Begun, Absent, Held), Step::Pay),
            (
                at(Pending, Begun, Done, Absent, Held),
                Step::Commit { round: 1 },
            ),
            (
                at(Pending, Begun, Absent, Absent, Held),
                Step::Commit { round: 1 },
            ),
            (at(Pending, Begun, Done, Absent, Committed), Step::Confirm),
            (
                Progress {
                    round: 2,
                    ..at(Pending, Begun, Done, Absent, Unknown)
                },
                Step::Reserve { round: 2 },
            ),
            (
                Progress {
                    round: 2,
                    ..at(Pending, Begun, Done, Absent, Held)
                },
                Step::Commit { round: 2 },
            ),
            (
                at(AwaitingPaymentAction, Begun, Begun, Absent, Held),
                Step::AskPayment,
            ),
            (
                at(AwaitingPaymentAction, Begun, Done, Absent, Held),
                Step::Commit { round: 1 },
            ),
            (
                at(AwaitingPaymentAction, Begun, Done, Absent, Committed),
                Step::Confirm,
            ),
            // after the pivot
            (at(Confirmed, Done, Done, Begun, Committed), Step::Capture),
            (at(Confirmed, Done, Done, Done, Committed), Step::Rest),
            (at(Confirmed, Done, Done, Absent, Committed), Step::Rest),
            (at(Confirmed, Done, Absent, Absent, Committed), Step::Rest),
            (
                Progress {
                    capture_refused: true,
                    ..at(Confirmed, Done, Done, Begun, Committed)
                },
                Step::DropAttempt,
            ),
            (at(Confirmed, Done, Begun, Absent, Committed), Step::Pay),
            (
                Progress {
                    task: Some(ship),
                    ..at(Confirmed, Done, Done, Begun, Committed)
                },
                Step::Capture,
            ),
            (
                Progress {
                    task: Some(ship),
                    ..at(Confirmed, Done, Done, Done, Committed)
                },
                Step::Work(ship),
            ),
            (
                Progress {
                    task,
                    kept: true,
                    ..at(Fulfilled, Done, Done, Done, Committed)
                },
                Step::Work(Task::PayBack(Uuid::nil())),
            ),
            (
                Progress {
                    kept: true,
                    ..at(PartiallyFulfilled, Done, Done, Done, Committed)
                },
                Step::Rest,
            ),
            // backward
            (at(Compensating, Begun, Begun, Absent, Unknown), Step::Void),
            (at(Compensating, Begun, Done, Absent, Committed), Step::Void),
            (
                at(Compensating, Done, Done, Begun, Committed),
                Step::Capture,
            ),
            (
                Progress {
                    task,
                    kept: true,
                    ..at(Compensating, Done, Done, Done, Committed)
                },
                Step::Work(Task::PayBack(Uuid::nil())),
            ),
            (
                Progress {
                    kept: true,
                    ..at(Compensating, Done, Done, Done, Committed)
                },
                Step::RefundRest,
            ),
            (
                at(Compensating, Begun, Undone, Absent, Unknown),
                Step::Release,
            ),
            (
                at(Compensating, Done, Undone, Undone, Committed),
                Step::Release,
            ),
            (
                at(Compensating, Begun, Absent, Absent, Unknown),
                Step::Release,
            ),
            (
                at(Compensating, Undone, Undone, Undone, Unknown),
                Step::Conclude,
            ),
            (
                at(Compensating, Absent, Absent, Absent, Unknown),
                Step::Conclude,
            ),
            // ended
            (at(Cancelled, Undone, Undone, Absent, Unknown), Step::Rest),
            (at(Rejected, Absent, Absent, Absent, Unknown), Step::Rest),
            (at(NeedsAttention, Begun, Begun, Begun, Unknown), Step::Rest),
        ];
        for (progress, step) in table {
            assert_eq!(next_step(&progress), step, "{progress:?}");
        }
    }
}
