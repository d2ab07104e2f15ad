//! The one place where a payment changes by what the provider tells.
//!
//! Facts come late, twice and out of order. One that is already true changes
//! nothing; one that does not fit what is known never corrupts it: it is
//! answered with [`Verdict::Differs`], and the provider is asked anew.

use types::{CaptureId, RefundId};

use super::{Capture, Fact, Payment, Refund, State};

/// A payment under its row lock, with those captures and refunds that are open
/// or spoken of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub payment: Payment,
    pub captures: Vec<Capture>,
    pub refunds: Vec<Refund>,
}

/// What a fact did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub verdict: Verdict,
    /// Something is to be written, which may be even if the fact differs.
    pub changed: bool,
    /// Told to others, in this order.
    pub happened: Vec<Happened>,
    /// When the reconciler has to look at the payment again.
    pub next_check: NextCheck,
    /// The refund is pending at the provider, which is an answer.
    pub acknowledged: Option<RefundId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Applied,
    AlreadyTrue,
    /// It does not fit what is known. It may only be old; if it is not, the
    /// books differ.
    Differs(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    ActionRequired,
    Authorized,
    Declined,
    Captured(CaptureId),
    CaptureFailed(CaptureId),
    /// What was not captured was given back.
    Released,
    Voided,
    Expired,
    Failed,
    Refunded(RefundId),
    RefundFailed(RefundId),
    /// A refund that had succeeded came back.
    RefundReturned(RefundId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextCheck {
    /// As planned before.
    AsPlanned,
    Never,
    /// After a while, because somebody else has to act first.
    Later,
    Now,
}

impl Happened {
    /// The last part of the event's type.
    pub fn kind(self) -> &'static str {
        match self {
            Happened::ActionRequired => "action_required",
            Happened::Authorized => "authorized",
            Happened::Declined => "declined",
            Happened::Captured(_) | Happened::Released => "captured",
            Happened::CaptureFailed(_) => "capture_failed",
            Happened::Voided => "voided",
            Happened::Expired => "expired",
            Happened::Failed => "failed",
            Happened::Refunded(_) => "refunded",
            Happened::RefundFailed(_) | Happened::RefundReturned(_) => "refund_failed",
        }
    }
}

impl Account {
    /// Makes `fact` true as far as it is news. `fresh`: the provider says so
    /// now, and not at some time before.
    pub fn apply(&mut self, fact: &Fact, fresh: bool) -> Change {
        let before = self.clone();
        let mut happened = Vec::new();
        let mut acknowledged = None;
        let clash = match fact {
            Fact::Nothing => None,
            Fact::Seen(intent) => self.seen(intent, &mut happened),
            Fact::Refused { code } => self.refused(code, &mut happened),
            Fact::Absent => self.absent(&mut happened),
            Fact::Captured(id) => self.captured(*id, &mut happened),
            Fact::CaptureRefused {
                capture,
                code,
                gone,
            } => self.capture_refused(*capture, code, *gone, &mut happened),
            Fact::Refund(seen) => self.refund(seen, &mut happened, &mut acknowledged),
        };
        let changed = *self != before;
        let verdict = match clash {
            Some(why) => Verdict::Differs(why),
            None if changed => Verdict::Applied,
            None => Verdict::AlreadyTrue,
        };
        let next_check = self.next_check(verdict, fresh, &happened, acknowledged.is_some());
        Change {
            verdict,
            changed,
            happened,
            next_check,
            acknowledged,
        }
    }

    fn next_check(
        &self,
        verdict: Verdict,
        fresh: bool,
        happened: &[Happened],
        acknowledged: bool,
    ) -> NextCheck {
        let payment = &self.payment;
        let cancel_there = happened.contains(&Happened::Expired)
            || (payment.void_requested && payment.state.is_open() && !payment.state.is_unknown())
            || (payment.void_requested && payment.state == State::Authorized);
        let waits = payment.state == State::RequiresAction || payment.refund_pending_minor > 0;
        match verdict {
            Verdict::Differs(_) if !fresh => NextCheck::Now,
            // Money may be held there: it is given back before long.
            Verdict::Differs(_) if payment.state.is_dead() => NextCheck::Later,
            Verdict::Applied if cancel_there => NextCheck::Now,
            Verdict::Applied if acknowledged || happened.contains(&Happened::ActionRequired) => {
                NextCheck::Later
            }
            Verdict::AlreadyTrue | Verdict::Differs(_) => NextCheck::AsPlanned,
            Verdict::Applied if payment.state.is_unknown() || waits => NextCheck::AsPlanned,
            Verdict::Applied if payment.capture_pending_minor > 0 => NextCheck::AsPlanned,
            Verdict::Applied => NextCheck::Never,
        }
    }
}
