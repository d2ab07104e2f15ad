//! What each fact does in each state. Every match names every state: a new one
//! does not compile before it is thought through here.

use types::{CaptureId, RefundId};

use super::{Account, Capture, Happened, Intent, IntentStatus, RefundSeen, State, TransferState};

/// Why a fact does not fit; `None`: it does.
type Clash = Option<&'static str>;

const HELD: Clash = Some("the provider still holds money for a payment that has ended");

impl Account {
    pub(super) fn seen(&mut self, intent: &Intent, happened: &mut Vec<Happened>) -> Clash {
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

    pub(super) fn refused(&mut self, code: &str, happened: &mut Vec<Happened>) -> Clash {
        match self.payment.state {
            State::Created | State::Processing => self.declined(code, happened),
            State::Declined => None,
            _ => Some("the provider refused to make what it had made"),
        }
    }

    pub(super) fn absent(&mut self, happened: &mut Vec<Happened>) -> Clash {
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

    pub(super) fn captured(&mut self, id: CaptureId, happened: &mut Vec<Happened>) -> Clash {
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

    pub(super) fn capture_refused(
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

    pub(super) fn refund(
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
}
