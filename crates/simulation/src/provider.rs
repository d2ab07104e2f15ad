//! A payment provider with books of its own: what it says there is what counts.
//! It knows each request by its key, and tells of every change by an event that
//! somebody else may deliver late, twice or never.

use payment_service::domain::{
    Capture, Fact, Intent, IntentStatus, Payment, Refund, RefundSeen, TransferState,
};
use types::{CaptureId, PaymentId, RefundId};

/// How the provider treats the payments of one customer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Manners {
    pub declines: bool,
    /// The customer has to act before the money is held.
    pub wants_action: bool,
    /// So many more captures are refused, and their authorizations are over.
    pub refuses_captures: u8,
    pub refuses_refunds: u8,
    /// A refund is pending until [`Provider::end_refunds`].
    pub slow_refunds: bool,
}

/// What becomes of one call to the provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Line {
    #[default]
    Clear,
    /// It never gets there.
    Down,
    /// It gets there, and the answer is lost.
    Deaf,
}

/// A definite no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct No {
    pub code: &'static str,
    /// Every other capture will be refused, too.
    pub gone: bool,
}

/// One payment as the provider has it.
#[derive(Debug, Clone)]
pub struct Held {
    pub payment: PaymentId,
    key: String,
    pub intent: Intent,
    captures: Vec<(CaptureId, Result<(), No>)>,
    pub refunds: Vec<(RefundId, i64, TransferState)>,
}

impl Held {
    pub fn refunded_minor(&self) -> i64 {
        let paid_back = self.refunds.iter();
        paid_back
            .filter(|(.., state)| *state != TransferState::Failed)
            .map(|(_, minor, _)| minor)
            .sum()
    }

    /// What the customer has paid and not got back.
    pub fn net_minor(&self) -> i64 {
        self.intent.received_minor - self.refunded_minor()
    }
}

#[derive(Debug, Clone, Default)]
pub struct Provider {
    pub manners: Manners,
    pub payments: Vec<Held>,
    /// Everything that was ever told, oldest first.
    pub events: Vec<(PaymentId, Fact)>,
}

impl Provider {
    /// Makes the payment, or shows it as it is if the key is known.
    pub fn create(&mut self, payment: &Payment) -> Intent {
        if let Some(held) = self
            .payments
            .iter()
            .find(|held| held.key == payment.provider_key)
        {
            return held.intent.clone();
        }
        let status = match (self.manners.declines, self.manners.wants_action) {
            (true, _) => IntentStatus::Declined {
                code: "card_declined".to_owned(),
            },
            (false, true) => IntentStatus::ActionRequired { url: None },
            (false, false) => IntentStatus::Authorized,
        };
        let intent = Intent {
            reference: format!("pi_{}", self.payments.len() + 1),
            capturable_minor: capturable(&status, payment.amount_minor),
            status,
            amount: payment.amount(),
            received_minor: 0,
        };
        self.payments.push(Held {
            payment: payment.id,
            key: payment.provider_key.clone(),
            intent: intent.clone(),
            captures: Vec::new(),
            refunds: Vec::new(),
        });
        self.tell(payment.id);
        intent
    }

    pub fn retrieve(&self, payment: PaymentId) -> Option<&Intent> {
        self.held(payment).map(|held| &held.intent)
    }

    pub fn held(&self, payment: PaymentId) -> Option<&Held> {
        self.payments.iter().find(|held| held.payment == payment)
    }

    pub fn capture(&mut self, capture: &Capture) -> Result<(), No> {
        let refuses = self.manners.refuses_captures > 0;
        let held = self.held_mut(capture.payment_id);
        if let Some((_, said)) = held.captures.iter().find(|(id, _)| *id == capture.id) {
            return *said;
        }
        let intent = &mut held.intent;
        let said = match intent.status {
            IntentStatus::Authorized if refuses => Err(No {
                code: "charge_expired_for_capture",
                gone: true,
            }),
            IntentStatus::Authorized if capture.amount_minor <= intent.capturable_minor => Ok(()),
            _ => Err(No {
                code: "payment_intent_unexpected_state",
                gone: false,
            }),
        };
        if said.is_ok() {
            intent.received_minor += capture.amount_minor;
            intent.capturable_minor -= capture.amount_minor;
            if capture.last || intent.capturable_minor == 0 {
                intent.capturable_minor = 0;
                intent.status = IntentStatus::Captured;
            }
        }
        held.captures.push((capture.id, said));
        match said {
            Ok(()) => self.tell(capture.payment_id),
            Err(no) if no.gone => {
                self.manners.refuses_captures -= 1;
                self.end(capture.payment_id, true);
            }
            Err(_) => {}
        }
        said
    }

    pub fn cancel(&mut self, payment: PaymentId) -> Result<Intent, No> {
        match self.held_mut(payment).intent.status {
            IntentStatus::Canceled { .. } | IntentStatus::Captured => Err(No {
                code: "payment_intent_unexpected_state",
                gone: false,
            }),
            _ => {
                self.end(payment, false);
                Ok(self.held_mut(payment).intent.clone())
            }
        }
    }

    pub fn refund(&mut self, refund: &Refund) -> RefundSeen {
        let (refuses, slow) = (self.manners.refuses_refunds > 0, self.manners.slow_refunds);
        let held = self.held_mut(refund.payment_id);
        if let Some(known) = held.refunds.iter().find(|(id, ..)| *id == refund.id) {
            return seen(known);
        }
        let too_much = refund.amount_minor > held.net_minor();
        let state = match (refuses || too_much, slow) {
            (true, _) => TransferState::Failed,
            (false, true) => TransferState::Pending,
            (false, false) => TransferState::Succeeded,
        };
        let row = (refund.id, refund.amount_minor, state);
        held.refunds.push(row);
        self.manners.refuses_refunds = self.manners.refuses_refunds.saturating_sub(refuses.into());
        self.events
            .push((refund.payment_id, Fact::Refund(seen(&row))));
        seen(&row)
    }

    pub fn retrieve_refund(&self, refund: &Refund) -> Option<RefundSeen> {
        let mut refunds = self.held(refund.payment_id)?.refunds.iter();
        refunds.find(|(id, ..)| *id == refund.id).map(seen)
    }

    /// Refunds that were pending arrive.
    pub fn end_refunds(&mut self) {
        for held in &mut self.payments {
            for row in &mut held.refunds {
                if row.2 == TransferState::Pending {
                    row.2 = TransferState::Succeeded;
                    self.events.push((held.payment, Fact::Refund(seen(row))));
                }
            }
        }
    }

    /// The customers do what their payments wait for. Whether any did.
    pub fn customers_act(&mut self) -> bool {
        let mut acted = Vec::new();
        for held in &mut self.payments {
            if matches!(held.intent.status, IntentStatus::ActionRequired { .. }) {
                held.intent.status = IntentStatus::Authorized;
                held.intent.capturable_minor = held.intent.amount.minor();
                acted.push(held.payment);
            }
        }
        acted.iter().for_each(|payment| self.tell(*payment));
        !acted.is_empty()
    }

    /// Authorizations run out. Whether any did.
    pub fn time_is_up(&mut self) -> bool {
        let ending: Vec<PaymentId> = self
            .payments
            .iter()
            .filter(|held| held.intent.is_holding())
            .map(|held| held.payment)
            .collect();
        ending.iter().for_each(|payment| self.end(*payment, true));
        !ending.is_empty()
    }

    fn end(&mut self, payment: PaymentId, expired: bool) {
        let intent = &mut self.held_mut(payment).intent;
        intent.status = match intent.received_minor {
            0 => IntentStatus::Canceled { expired },
            _ => IntentStatus::Captured,
        };
        intent.capturable_minor = 0;
        self.tell(payment);
    }

    fn tell(&mut self, payment: PaymentId) {
        let intent = self.held_mut(payment).intent.clone();
        self.events.push((payment, Fact::Seen(intent)));
    }

    fn held_mut(&mut self, payment: PaymentId) -> &mut Held {
        let mut payments = self.payments.iter_mut();
        payments
            .find(|held| held.payment == payment)
            .expect("only what was made here is asked for")
    }
}

fn capturable(status: &IntentStatus, minor: i64) -> i64 {
    match status {
        IntentStatus::Authorized => minor,
        _ => 0,
    }
}

fn seen((refund, _, state): &(RefundId, i64, TransferState)) -> RefundSeen {
    let failed = *state == TransferState::Failed;
    RefundSeen {
        refund: *refund,
        reference: (!failed).then(|| format!("re_{refund}")),
        state: *state,
        failure_code: failed.then(|| "refund_refused".to_owned()),
    }
}
