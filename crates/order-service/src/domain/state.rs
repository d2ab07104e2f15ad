//! Where an order stands, and which way it may go from there.

/// Numbers are stored, and equal those of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    Pending = 1,
    AwaitingPaymentAction = 2,
    Confirmed = 3,
    PartiallyFulfilled = 4,
    Fulfilled = 5,
    Compensating = 6,
    Cancelled = 7,
    Rejected = 8,
    NeedsAttention = 9,
}

use State::{
    AwaitingPaymentAction, Cancelled, Compensating, Confirmed, Fulfilled, NeedsAttention,
    PartiallyFulfilled, Pending, Rejected,
};

impl State {
    pub const ALL: [State; 9] = [
        Pending,
        AwaitingPaymentAction,
        Confirmed,
        PartiallyFulfilled,
        Fulfilled,
        Compensating,
        Cancelled,
        Rejected,
        NeedsAttention,
    ];

    pub fn number(self) -> i16 {
        self as i16
    }

    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.number() == number)
    }

    /// As in messages to people.
    pub fn name(self) -> &'static str {
        match self {
            Pending => "PENDING",
            AwaitingPaymentAction => "AWAITING_PAYMENT_ACTION",
            Confirmed => "CONFIRMED",
            PartiallyFulfilled => "PARTIALLY_FULFILLED",
            Fulfilled => "FULFILLED",
            Compensating => "COMPENSATING",
            Cancelled => "CANCELLED",
            Rejected => "REJECTED",
            NeedsAttention => "NEEDS_ATTENTION",
        }
    }

    /// The legal transitions; the database checks the same list on each event.
    /// Staying is not a transition and always legal.
    pub fn may_become(self, next: State) -> bool {
        match self {
            Pending => matches!(
                next,
                AwaitingPaymentAction | Confirmed | Compensating | Rejected | NeedsAttention
            ),
            AwaitingPaymentAction => matches!(next, Confirmed | Compensating | NeedsAttention),
            Confirmed => matches!(
                next,
                PartiallyFulfilled | Fulfilled | Compensating | NeedsAttention
            ),
            PartiallyFulfilled => matches!(next, Fulfilled | NeedsAttention),
            Fulfilled => matches!(next, NeedsAttention),
            Compensating => matches!(next, Cancelled | Rejected | NeedsAttention),
            // Back to where it stopped, or undone.
            NeedsAttention => !matches!(next, Cancelled | Rejected | NeedsAttention),
            Cancelled | Rejected => false,
        }
    }

    /// Is the promise to the customer made and not taken back?
    pub fn is_confirmed(self) -> bool {
        matches!(self, Confirmed | PartiallyFulfilled | Fulfilled)
    }

    pub fn is_ended(self) -> bool {
        matches!(self, Cancelled | Rejected)
    }
}

/// How an order that is being undone will end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    Cancelled,
    Rejected,
}

impl Target {
    pub fn state(self) -> State {
        match self {
            Target::Cancelled => Cancelled,
            Target::Rejected => Rejected,
        }
    }

    pub fn from_state(state: State) -> Option<Self> {
        match state {
            Cancelled => Some(Target::Cancelled),
            Rejected => Some(Target::Rejected),
            _ => None,
        }
    }
}

/// Why an order is in its state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StateReason {
    /// A stable string; empty when there is nothing to say.
    pub code: String,
    pub message: String,
}

impl StateReason {
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.code.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_order_stays_as_it_is_and_no_order_ends_without_being_undone_or_never_begun() {
        for next in State::ALL {
            assert!(!Cancelled.may_become(next));
            assert!(!Rejected.may_become(next));
        }
        for from in State::ALL {
            assert_eq!(from.may_become(Cancelled), from == Compensating);
            let may_reject = matches!(from, Pending | Compensating);
            assert_eq!(from.may_become(Rejected), may_reject);
        }
    }

    #[test]
    fn numbers_are_read_back() {
        for state in State::ALL {
            assert_eq!(State::from_number(state.number()), Some(state));
        }
        assert_eq!(State::from_number(0), None);
    }
}
