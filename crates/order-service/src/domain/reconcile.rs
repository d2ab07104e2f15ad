//! An order beside its payment, as the service of payments has it. They differ
//! when one of the two knows what the other forgot, as after a restore.

use types::PaymentId;
use uuid::Uuid;

use super::{
    Case, Change, Effect, Kind, NewWork, Refusal, State, StateReason, Target, Then, WorkKind,
    WorkState,
};

const REASON: &str = "given back past the order";

/// A payment of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentBook {
    pub id: PaymentId,
    /// The provider holds money, or may.
    pub is_held: bool,
    /// Its outcome is not known, or something is under way.
    pub is_open: bool,
    pub captured_minor: i64,
    pub refunded_minor: i64,
    /// On its way back.
    pub returning_minor: i64,
}

impl PaymentBook {
    /// Taken, and neither given back nor about to be.
    pub fn kept_minor(&self) -> i64 {
        self.captured_minor - self.refunded_minor - self.returning_minor
    }

    fn is_gone(&self) -> bool {
        !self.is_held && !self.is_open && self.captured_minor == 0
    }
}

/// What the comparison came to.
#[derive(Debug)]
pub enum Compared {
    Same,
    /// Its saga is at work, or a person has to decide first.
    Running,
    /// To be written, with a refund that was made already.
    TakenOver(Change, Option<NewWork>),
    /// To be written: the order goes back, or stops.
    Undone(Change),
}

impl Case {
    /// Makes the order what its payment among `books` is. `refund` is the id of
    /// the work that says what was given back.
    pub fn reconcile(&mut self, books: &[PaymentBook], refund: Uuid) -> Compared {
        let saga = &self.order.saga;
        let at_work = saga.payment == Effect::Begun || saga.capture == Effect::Begun;
        let at_work = at_work || !self.works.is_empty();
        match self.order.state {
            State::Cancelled | State::Rejected => return Compared::Same,
            // The saga asks for the payment itself.
            State::Pending | State::Compensating => return Compared::Running,
            State::AwaitingPaymentAction => return Compared::Same,
            // It is for a person, who decides by what is known of the money.
            State::NeedsAttention if at_work => return Compared::Same,
            _ if at_work => return Compared::Running,
            _ => {}
        }
        let Some(id) = self.order.payment_id else {
            return Compared::Same;
        };
        match books.iter().find(|book| book.id == id) {
            Some(book) if book.is_open => Compared::Running,
            Some(book) if !book.is_gone() => self.take_over(book, refund),
            Some(_) | None => self.lose_money(),
        }
    }

    fn take_over(&mut self, book: &PaymentBook, refund: Uuid) -> Compared {
        let order = &mut self.order;
        let captured_more = book.captured_minor > order.captured_minor;
        if captured_more {
            order.captured_minor = book.captured_minor;
            order.saga.capture = Effect::Done;
        }
        let back_minor = book.refunded_minor - order.refunded_minor;
        if back_minor <= 0 {
            return match captured_more {
                true => Compared::TakenOver(self.change(Kind::PaymentCaptured), None),
                false => Compared::Same,
            };
        }
        if book.kept_minor() == 0 && order.state == State::Confirmed {
            return self.lose_money();
        }
        order.refunded_minor += back_minor;
        let work = NewWork {
            id: refund,
            order_id: order.id,
            kind: WorkKind::Refund,
            state: WorkState::Done,
            lines: Vec::new(),
            tracking: String::new(),
            restock: false,
            amount: Some(order.money(back_minor)),
            reason: REASON.to_owned(),
        };
        let mut change = self.change(Kind::Refunded);
        change.reason = StateReason::new("REFUND", REASON);
        Compared::TakenOver(change, Some(work))
    }

    /// Nobody pays for the order any more: it is undone as far as it can be.
    fn lose_money(&mut self) -> Compared {
        let message = "the money was given back past the order";
        let refusal = Refusal::new("PAYMENT_GONE", message);
        let then = match self.order.state {
            State::Confirmed => self.turn_back(Target::Cancelled, refusal),
            State::NeedsAttention => return Compared::Same,
            _ => self.needs_attention(refusal),
        };
        match then {
            Then::Write(change) => Compared::Undone(change),
            Then::Go | Then::Wait => Compared::Same,
        }
    }
}
