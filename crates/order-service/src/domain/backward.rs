//! The way back: everything that was begun is undone, or a person has to look.

use uuid::Uuid;

use super::case::refusal_of;
use super::{
    Answer, Case, Closed, Effect, Kind, Refusal, State, StateReason, Target, Then, WorkKind,
};

impl Case {
    pub(super) fn action_timeout(&mut self) -> Then {
        let refusal = Refusal::new(
            "PAYMENT_ACTION_TIMEOUT",
            "the customer did not do in time what the payment needs",
        );
        self.turn_back(Target::Rejected, refusal)
    }

    pub(super) fn refunded(&mut self, answer: Answer) -> Then {
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

    pub(super) fn voided(&mut self, answer: Answer) -> Then {
        match answer {
            Answer::Voided(payment) => {
                self.order.saga.payment = Effect::Undone;
                self.order.payment_id = payment.or(self.order.payment_id);
                Then::Go
            }
            // All of it was paid back before.
            Answer::Captured { payment, minor } if minor == self.order.refunded_minor => {
                self.order.saga.payment = Effect::Undone;
                self.order.saga.capture = Effect::Undone;
                self.order.payment_id = Some(payment);
                Then::Go
            }
            // Somebody captured it behind our back: it is paid back next.
            Answer::Captured { payment, minor } => self.note_captured(payment, minor),
            other => self.needs_attention(refusal_of(other)),
        }
    }

    pub(super) fn released(&mut self, answer: Answer) -> Then {
        match answer {
            Answer::Done => {
                self.order.saga.stock = Effect::Undone;
                Then::Go
            }
            other => self.needs_attention(refusal_of(other)),
        }
    }

    pub(super) fn conclude(&mut self) -> Then {
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

    pub(super) fn end(&mut self, state: State, kind: Kind, refusal: Refusal) -> Then {
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
}
