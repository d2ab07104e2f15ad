//! payment-service in memory, for the payments of one order: its verbs over the
//! domain's own transitions, with keys, tombstone and ledger. The provider's
//! answer may get lost at each call; then nothing is guessed.

mod answer;
mod check;

use payment_service::domain::{
    Account, Capture, Fact, Leg, NewPayment, Payment, Refund, Refused, State, TransferState,
};
use types::{CaptureId, Money as Amount, PaymentId, RefundId};

use crate::keys::{Kept, Keys};
use crate::provider::{Line, Provider};
use answer::{created, is_open};

/// A definite answer.
#[derive(Debug, Clone)]
pub enum Said {
    Payment(Box<Payment>),
    /// There is no payment to give back.
    Nothing,
    Captured(Box<Payment>),
    Refund(RefundId, TransferState),
    No(&'static str),
}

/// Not now, or not known: the same key asks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Later;

pub type Answered = Result<Said, Later>;

/// Which payment is to be given back.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    Payment(PaymentId),
    Order,
}

/// Rules that can be left out, to see that somebody notices.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bugs {
    pub no_tombstone: bool,
    /// The key's row says done before anything is.
    pub key_before_effect: bool,
    /// Every call counts as a first one.
    pub no_keys: bool,
    /// A payment that is being sent counts as gone.
    pub voids_blindly: bool,
}

#[derive(Debug, Clone, Copy)]
enum Work {
    Create(PaymentId),
    Capture(CaptureId),
    Refund(RefundId),
    Void(PaymentId),
}

#[derive(Debug, Clone)]
pub struct Entry {
    pub account: Account,
    /// The reconciler will look at it.
    pub due: bool,
}

#[derive(Debug, Default)]
pub struct Money {
    pub provider: Provider,
    pub entries: Vec<Entry>,
    /// What happens to the next call to the provider.
    pub line: Line,
    pub bugs: Bugs,
    pub ledger: Vec<Leg>,
    /// Fresh facts that did not fit: somebody would be called.
    pub differences: Vec<&'static str>,
    voided: bool,
    keys: Keys<Work, Said>,
    open: Vec<(String, Work)>,
}

impl Money {
    pub fn create(&mut self, key: &str, new: &NewPayment) -> Answered {
        match self.known(key) {
            Some(Kept::Answered(said)) => return Ok(said),
            Some(Kept::Open(Work::Create(id))) => {
                return self
                    .find_out(id)
                    .and_then(|()| self.close(key, Work::Create(id)));
            }
            Some(Kept::Open(_)) | None => {}
        }
        let mut known = self.entries.iter().map(|entry| &entry.account.payment);
        if let Some(same) = known.find(|payment| payment.attempt == new.attempt) {
            let said = match same.is_for(new) {
                true => created(same)?,
                false => Said::No("PAYMENT_EXISTS"),
            };
            return Ok(self.keys.keep(key, said));
        }
        let live = |entry: &Entry| !entry.account.payment.state.is_dead();
        let refused = match self.voided {
            true => Some("PAYMENT_VOIDED"),
            false => self.entries.iter().any(live).then_some("PAYMENT_EXISTS"),
        };
        if let Some(code) = refused {
            return Ok(self.keys.keep(key, Said::No(code)));
        }
        let payment = Payment::begin(new);
        let id = payment.id;
        self.entries.push(Entry {
            account: Account {
                payment: payment.clone(),
                captures: Vec::new(),
                refunds: Vec::new(),
            },
            due: true,
        });
        if self.bugs.key_before_effect {
            self.keys
                .keep(key, Said::Payment(Box::new(payment.clone())));
        }
        self.begin(key, Work::Create(id));
        let intent = self.ask(|provider| provider.create(&payment))?;
        self.report(id, &Fact::Seen(intent), true);
        self.close(key, Work::Create(id))
    }

    /// `amount` absent: all that is left. `last`: the rest is given back.
    pub fn capture(
        &mut self,
        key: &str,
        id: PaymentId,
        amount: Option<Amount>,
        last: bool,
    ) -> Answered {
        match self.known(key) {
            Some(Kept::Answered(said)) => return Ok(said),
            Some(Kept::Open(Work::Capture(capture))) => {
                return self
                    .find_out_capture(id, capture)
                    .and_then(|()| self.close(key, Work::Capture(capture)));
            }
            Some(Kept::Open(_)) | None => {}
        }
        let Some(entry) = self.entry(id) else {
            return Ok(Said::No("NOT_FOUND"));
        };
        let payment = &mut entry.account.payment;
        if payment.state == State::Captured && amount.is_none() {
            let said = Said::Captured(Box::new(payment.clone()));
            return Ok(self.keys.keep(key, said));
        }
        let amount_minor = match payment.begin_capture(amount) {
            Ok(minor) => minor,
            Err(refused) => return self.refuse(key, &refused),
        };
        let all = payment.captured_minor + amount_minor == payment.authorized_minor;
        let capture = Capture {
            id: CaptureId::generate(),
            payment_id: id,
            amount_minor,
            state: TransferState::Pending,
            last: last || all,
            failure_code: None,
            created_at: payment.created_at,
        };
        entry.account.captures.push(capture.clone());
        entry.due = true;
        self.begin(key, Work::Capture(capture.id));
        self.try_capture(&capture)?;
        self.close(key, Work::Capture(capture.id))
    }

    pub fn refund(&mut self, key: &str, id: PaymentId, amount: Option<Amount>) -> Answered {
        match self.known(key) {
            Some(Kept::Answered(said)) => return Ok(said),
            Some(Kept::Open(Work::Refund(refund))) => {
                return self
                    .find_out_refund(id, refund)
                    .and_then(|()| self.close(key, Work::Refund(refund)));
            }
            Some(Kept::Open(_)) | None => {}
        }
        let Some(entry) = self.entry(id) else {
            return Ok(Said::No("NOT_FOUND"));
        };
        let payment = &mut entry.account.payment;
        let amount_minor = match payment.begin_refund(amount) {
            Ok(minor) => minor,
            Err(refused) => return self.refuse(key, &refused),
        };
        let refund = Refund {
            id: RefundId::generate(),
            payment_id: id,
            order_id: payment.order_id,
            amount_minor,
            currency: payment.currency,
            state: TransferState::Pending,
            reason: String::new(),
            provider_reference: None,
            failure_code: None,
            version: 1,
            created_at: payment.created_at,
        };
        entry.account.refunds.push(refund.clone());
        entry.due = true;
        self.begin(key, Work::Refund(refund.id));
        self.try_refund(&refund)?;
        self.close(key, Work::Refund(refund.id))
    }

    pub fn void(&mut self, key: &str, target: Target) -> Answered {
        match self.known(key) {
            Some(Kept::Answered(said)) => return Ok(said),
            Some(Kept::Open(Work::Void(id))) => {
                return self
                    .check(id)
                    .and_then(|()| self.close(key, Work::Void(id)));
            }
            Some(Kept::Open(_)) | None => {}
        }
        let id = match target {
            Target::Payment(id) => Some(id),
            Target::Order => self.live().map(|payment| payment.id),
        };
        let blindly = self.bugs.voids_blindly;
        let asked = id.and_then(|id| self.entry(id)).map(|entry| {
            entry.due = true;
            if blindly && entry.account.payment.state.is_unknown() {
                entry.account.payment.state = State::Voided;
            }
            let asked = entry.account.payment.request_void();
            (asked, entry.account.payment.clone())
        });
        if let Some((Err(refused), _)) = &asked {
            return self.refuse(key, refused);
        }
        self.voided |= matches!(target, Target::Order) && !self.bugs.no_tombstone;
        match asked {
            None => Ok(self.keys.keep(key, Said::Nothing)),
            Some((Ok(false), payment)) => Ok(self.keys.keep(key, Said::Payment(Box::new(payment)))),
            Some((_, payment)) => {
                self.begin(key, Work::Void(payment.id));
                self.check(payment.id)?;
                self.close(key, Work::Void(payment.id))
            }
        }
    }

    /// The payment as it is, after a look at the provider if something is open.
    pub fn get(&mut self, id: Option<PaymentId>) -> Option<Account> {
        let last = || self.entries.last().map(|entry| &entry.account.payment);
        let id = id.or_else(|| Some(self.live().or_else(last)?.id))?;
        if self
            .entry(id)
            .is_some_and(|entry| is_open(&entry.account.payment))
        {
            // Then it is shown as far as it is known.
            let _ = self.check(id);
        }
        self.entry(id).map(|entry| entry.account.clone())
    }

    /// Of the order's attempts that which is not over.
    pub fn live(&self) -> Option<&Payment> {
        let mut payments = self.entries.iter().map(|entry| &entry.account.payment);
        payments.find(|payment| !payment.state.is_dead())
    }

    fn known(&self, key: &str) -> Option<Kept<Work, Said>> {
        self.keys.get(key).filter(|_| !self.bugs.no_keys)
    }

    fn begin(&mut self, key: &str, work: Work) {
        if !self.bugs.key_before_effect || !matches!(work, Work::Create(_)) {
            self.keys.begin(key, work);
        }
        self.open.push((key.to_owned(), work));
    }

    fn refuse(&mut self, key: &str, refused: &Refused) -> Answered {
        let code = match refused {
            Refused::IllegalTransition { .. } => "ILLEGAL_TRANSITION",
            Refused::CaptureExceedsAuthorized { .. } => "CAPTURE_EXCEEDS_AUTHORIZED",
            Refused::RefundExceedsCaptured { .. } => "REFUND_EXCEEDS_CAPTURED",
            Refused::CurrencyMismatch { .. } => return Ok(Said::No("CURRENCY_MISMATCH")),
            Refused::Busy | Refused::OutcomeUnknown => return Err(Later),
        };
        Ok(self.keys.keep(key, Said::No(code)))
    }

    fn entry(&mut self, id: PaymentId) -> Option<&mut Entry> {
        let mut entries = self.entries.iter_mut();
        entries.find(|entry| entry.account.payment.id == id)
    }

    fn account(&self, id: PaymentId) -> Option<&Account> {
        let mut accounts = self.entries.iter().map(|entry| &entry.account);
        accounts.find(|account| account.payment.id == id)
    }
}
