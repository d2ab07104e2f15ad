//! The one place where a payment changes by what the provider tells.
//!
//! Facts come late, twice and out of order. One that is already true changes
//! nothing; one that does not fit what is known never corrupts it: it is
//! answered with [`Verdict::Differs`], and the provider is asked anew.

use types::{CaptureId, RefundId};

use super::{
    Capture, Fact, Intent, IntentStatus, Payment, Refund, RefundSeen, State, TransferState,
};

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

    fn seen(&mut self, intent: &Intent, happened: &mut Vec<Happened>) -> Clash {
        let payment = &mut self.payment;
        match &payment.provider_reference {
            Some(known) if *known != intent.reference => {
                return Some("the provider has another intent for the payment");
            }
            Some(_) => {}
            None if intent.amount != payment.amount() => {
                return Some("the provider's intent is for another amount");
            }
            None => payment.provider_reference = Some(intent.reference.clone()),
        }
        match &intent.status {
            IntentStatus::Pending => None,
            IntentStatus::ConfirmationRequired => self.waits_for_customer(None, happened),
            IntentStatus::ActionRequired { url } => {
                self.waits_for_customer(url.as_deref(), happened)
            }
            IntentStatus::Declined { code } => self.declined(code, happened),
            IntentStatus::Authorized => self
                .authorized(happened)
                .or_else(|| self.received(intent.received_minor, happened)),
            IntentStatus::Captured => self
                .authorized(happened)
                .or_else(|| self.received(intent.received_minor, happened))
                .or_else(|| self.released(happened)),
            IntentStatus::Canceled { expired } => self
                .received(intent.received_minor, happened)
                .or_else(|| self.canceled(*expired, happened)),
        }
    }

    fn waits_for_customer(&mut self, url: Option<&str>, happened: &mut Vec<Happened>) -> Clash {
        let payment = &mut self.payment;
        match payment.state {
            State::Created | State::Processing => {
                payment.state = State::RequiresAction;
                payment.action_url = url.map(str::to_owned);
                happened.push(Happened::ActionRequired);
                None
            }
            State::RequiresAction => {
                if url.is_some() {
                    payment.action_url = url.map(str::to_owned);
                }
                None
            }
            State::Authorized | State::PartiallyCaptured | State::Captured => {
                Some("the provider waits for an action of the customer")
            }
            State::Voided | State::Declined | State::Expired | State::Failed => HELD,
        }
    }

    fn authorized(&mut self, happened: &mut Vec<Happened>) -> Clash {
        let payment = &mut self.payment;
        match payment.state {
            State::Created | State::Processing | State::RequiresAction => {
                payment.state = State::Authorized;
                payment.authorized_minor = payment.amount_minor;
                payment.action_url = None;
                happened.push(Happened::Authorized);
                None
            }
            State::Authorized | State::PartiallyCaptured | State::Captured => None,
            State::Voided | State::Declined | State::Expired | State::Failed => HELD,
        }
    }

    fn declined(&mut self, code: &str, happened: &mut Vec<Happened>) -> Clash {
        match self.payment.state {
            State::Created | State::Processing | State::RequiresAction => {
                self.end(State::Declined, Some(code));
                happened.push(Happened::Declined);
                None
            }
            State::Voided | State::Declined | State::Expired | State::Failed => None,
            State::Authorized | State::PartiallyCaptured | State::Captured => {
                Some("the provider declined what it had authorized")
            }
        }
    }

    fn refused(&mut self, code: &str, happened: &mut Vec<Happened>) -> Clash {
        match self.payment.state {
            State::Created | State::Processing => self.declined(code, happened),
            State::Declined => None,
            _ => Some("the provider refused to make what it had made"),
        }
    }

    fn absent(&mut self, happened: &mut Vec<Happened>) -> Clash {
        match self.payment.state {
            State::Created | State::Processing if self.payment.provider_reference.is_none() => {
                self.end(State::Failed, Some("never_reached_provider"));
                happened.push(Happened::Failed);
                None
            }
            state if state.is_dead() => None,
            _ => Some("the provider does not know the payment"),
        }
    }

    fn canceled(&mut self, expired: bool, happened: &mut Vec<Happened>) -> Clash {
        let ended = match expired && !self.payment.void_requested {
            true => (State::Expired, Happened::Expired),
            false => (State::Voided, Happened::Voided),
        };
        match self.payment.state {
            _ if self.payment.capture_pending_minor > 0 => {
                Some("the provider cancelled what is being captured")
            }
            State::Created | State::Processing | State::RequiresAction | State::Authorized => {
                self.end(ended.0, None);
                happened.push(ended.1);
                None
            }
            State::PartiallyCaptured => self.released(happened),
            State::Captured => None,
            State::Voided | State::Declined | State::Expired | State::Failed => None,
        }
    }

    /// What the provider has taken settles the captures that are open.
    fn received(&mut self, received_minor: i64, happened: &mut Vec<Happened>) -> Clash {
        let captured_minor = self.payment.captured_minor;
        if received_minor == captured_minor {
            return None;
        }
        if received_minor < captured_minor {
            return Some("the provider has taken less than was captured");
        }
        let news_minor = received_minor - captured_minor;
        let open = || {
            let pending = |capture: &&Capture| capture.state == TransferState::Pending;
            self.captures.iter().filter(pending)
        };
        let all_minor: i64 = open().map(|capture| capture.amount_minor).sum();
        let made: Vec<CaptureId> = match open().count() {
            0 => Vec::new(),
            _ if all_minor == news_minor => open().map(|capture| capture.id).collect(),
            _ => Vec::new(),
        };
        if made.is_empty() {
            return Some("the provider has taken what was not to be captured");
        }
        made.into_iter().find_map(|id| self.captured(id, happened))
    }

    /// Nothing more is held: a part that was captured is all there will be.
    fn released(&mut self, happened: &mut Vec<Happened>) -> Clash {
        let payment = &mut self.payment;
        if payment.state == State::PartiallyCaptured && payment.capture_pending_minor == 0 {
            payment.state = State::Captured;
            happened.push(Happened::Released);
        }
        None
    }

    fn captured(&mut self, id: CaptureId, happened: &mut Vec<Happened>) -> Clash {
        let Some(capture) = self.captures.iter_mut().find(|capture| capture.id == id) else {
            return Some("the provider made a capture that nobody asked for");
        };
        match capture.state {
            TransferState::Succeeded => None,
            TransferState::Failed => Some("the provider made a capture that had failed"),
            TransferState::Pending => {
                capture.state = TransferState::Succeeded;
                let payment = &mut self.payment;
                payment.capture_pending_minor -= capture.amount_minor;
                payment.captured_minor += capture.amount_minor;
                let all = payment.captured_minor == payment.authorized_minor || capture.last;
                if payment.state != State::Captured {
                    payment.state = match all {
                        true => State::Captured,
                        false => State::PartiallyCaptured,
                    };
                }
                happened.push(Happened::Captured(id));
                None
            }
        }
    }

    fn capture_refused(
        &mut self,
        id: CaptureId,
        code: &str,
        gone: bool,
        happened: &mut Vec<Happened>,
    ) -> Clash {
        let Some(capture) = self.captures.iter_mut().find(|capture| capture.id == id) else {
            return Some("the provider refused a capture that nobody asked for");
        };
        match capture.state {
            TransferState::Failed => return None,
            TransferState::Succeeded => return Some("the provider refused a capture it had made"),
            TransferState::Pending => {}
        }
        capture.state = TransferState::Failed;
        capture.failure_code = Some(code.to_owned());
        self.payment.capture_pending_minor -= capture.amount_minor;
        happened.push(Happened::CaptureFailed(id));
        let nothing_else_pending = self.payment.capture_pending_minor == 0;
        if gone && self.payment.state == State::Authorized && nothing_else_pending {
            self.end(State::Expired, Some(code));
            happened.push(Happened::Expired);
        }
        None
    }

    fn refund(
        &mut self,
        seen: &RefundSeen,
        happened: &mut Vec<Happened>,
        acknowledged: &mut Option<RefundId>,
    ) -> Clash {
        let id = seen.refund;
        let Some(refund) = self.refunds.iter_mut().find(|refund| refund.id == id) else {
            return Some("the provider made a refund that nobody asked for");
        };
        let payment = &mut self.payment;
        let before = refund.clone();
        if refund.provider_reference.is_none() {
            refund.provider_reference.clone_from(&seen.reference);
        }
        match (before.state, seen.state) {
            (TransferState::Pending, TransferState::Pending) => *acknowledged = Some(id),
            (TransferState::Pending, TransferState::Succeeded) => {
                refund.state = TransferState::Succeeded;
                payment.refund_pending_minor -= refund.amount_minor;
                payment.refunded_minor += refund.amount_minor;
                happened.push(Happened::Refunded(id));
            }
            (TransferState::Pending, TransferState::Failed) => {
                refund.state = TransferState::Failed;
                refund.failure_code.clone_from(&seen.failure_code);
                payment.refund_pending_minor -= refund.amount_minor;
                happened.push(Happened::RefundFailed(id));
            }
            (TransferState::Succeeded, TransferState::Failed) => {
                refund.state = TransferState::Failed;
                refund.failure_code.clone_from(&seen.failure_code);
                payment.refunded_minor -= refund.amount_minor;
                happened.push(Happened::RefundReturned(id));
            }
            (TransferState::Failed, TransferState::Succeeded) => {
                return Some("the provider made a refund that had failed");
            }
            (TransferState::Succeeded | TransferState::Failed, _) => {}
        }
        if *refund != before {
            refund.version += 1;
        }
        None
    }

    fn end(&mut self, state: State, code: Option<&str>) {
        let payment = &mut self.payment;
        payment.state = state;
        payment.authorized_minor = 0;
        payment.action_url = None;
        payment.decline_code = code.map(str::to_owned);
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

/// Why a fact does not fit; `None`: it does.
type Clash = Option<&'static str>;

const HELD: Clash = Some("the provider still holds money for a payment that has ended");
