//! Finding out at the provider what became of a payment, and making it true.

use payment_service::domain::{Capture, Fact, NextCheck, Refund, TransferState, Verdict};
use types::{CaptureId, PaymentId, RefundId};

use super::answer::{is_open, legs, unwanted};
use super::{Later, Money};
use crate::provider::{Line, Provider};

impl Money {
    /// What the reconciler does, once for each payment that is due.
    pub fn reconcile(&mut self) {
        let due = self.entries.iter().filter(|entry| entry.due);
        let due: Vec<PaymentId> = due.map(|entry| entry.account.payment.id).collect();
        for id in due {
            let _ = self.check(id);
        }
    }

    /// A webhook: an event of the provider, however old.
    pub fn hear(&mut self, event: usize) {
        let Some((payment, fact)) = self.provider.events.get(event).cloned() else {
            return;
        };
        self.report(payment, &fact, false);
    }

    pub(super) fn ask<T>(&mut self, call: impl FnOnce(&mut Provider) -> T) -> Result<T, Later> {
        match std::mem::take(&mut self.line) {
            Line::Down => Err(Later),
            Line::Deaf => {
                call(&mut self.provider);
                Err(Later)
            }
            Line::Clear => Ok(call(&mut self.provider)),
        }
    }

    pub(super) fn find_out(&mut self, id: PaymentId) -> Result<(), Later> {
        match self.account(id) {
            Some(account) if account.payment.state.is_open() => self.look(id).map(drop),
            _ => Ok(()),
        }
    }

    /// How the provider has it now, made true. Whether it holds money.
    fn look(&mut self, id: PaymentId) -> Result<bool, Later> {
        let payment = self.account(id).ok_or(Later)?.payment.clone();
        let intent = match payment.provider_reference {
            Some(_) => self.ask(|provider| provider.retrieve(id).cloned())?,
            None => Some(self.ask(|provider| provider.create(&payment))?),
        };
        let intent = intent.ok_or(Later)?;
        let holds = intent.is_holding();
        self.report(id, &Fact::Seen(intent), true);
        Ok(holds)
    }

    pub(super) fn find_out_capture(
        &mut self,
        id: PaymentId,
        capture: CaptureId,
    ) -> Result<(), Later> {
        let account = self.account(id).ok_or(Later)?;
        let capture = account
            .captures
            .iter()
            .find(|one| one.id == capture)
            .cloned();
        match capture {
            Some(capture) if capture.state == TransferState::Pending => self.try_capture(&capture),
            _ => Ok(()),
        }
    }

    pub(super) fn try_capture(&mut self, capture: &Capture) -> Result<(), Later> {
        let fact = match self.ask(|provider| provider.capture(capture))? {
            Ok(()) => Fact::Captured(capture.id),
            Err(no) => Fact::CaptureRefused {
                capture: capture.id,
                code: no.code.to_owned(),
                gone: no.gone,
            },
        };
        self.report(capture.payment_id, &fact, true);
        Ok(())
    }

    pub(super) fn find_out_refund(&mut self, id: PaymentId, refund: RefundId) -> Result<(), Later> {
        let account = self.account(id).ok_or(Later)?;
        let refund = account.refunds.iter().find(|one| one.id == refund).cloned();
        let Some(refund) = refund.filter(|refund| refund.state == TransferState::Pending) else {
            return Ok(());
        };
        if refund.provider_reference.is_none() {
            return self.try_refund(&refund);
        }
        let seen = self.ask(|provider| provider.retrieve_refund(&refund))?;
        self.report(id, &Fact::Refund(seen.ok_or(Later)?), true);
        Ok(())
    }

    pub(super) fn try_refund(&mut self, refund: &Refund) -> Result<(), Later> {
        let seen = self.ask(|provider| provider.refund(refund))?;
        self.report(refund.payment_id, &Fact::Refund(seen), true);
        Ok(())
    }

    /// Finds out all that is open about one payment and ends it.
    pub(super) fn check(&mut self, id: PaymentId) -> Result<(), Later> {
        let account = self.account(id).ok_or(Later)?.clone();
        for capture in &account.captures {
            self.find_out_capture(id, capture.id)?;
        }
        for refund in &account.refunds {
            self.find_out_refund(id, refund.id)?;
        }
        let payment = &self.account(id).ok_or(Later)?.payment;
        if (payment.provider_reference.is_some() || payment.state.is_unknown()) && self.look(id)? {
            self.give_back(id)?;
        }
        if let Some(entry) = self.entry(id)
            && !is_open(&entry.account.payment)
        {
            entry.due = false;
        }
        Ok(())
    }

    fn give_back(&mut self, id: PaymentId) -> Result<(), Later> {
        let unwanted = self
            .account(id)
            .is_some_and(|account| unwanted(&account.payment));
        if !unwanted {
            return Ok(());
        }
        let intent = self.ask(|provider| match provider.cancel(id) {
            Ok(intent) => Some(intent),
            // Something happened there meanwhile: look.
            Err(_) => provider.retrieve(id).cloned(),
        })?;
        self.report(id, &Fact::Seen(intent.ok_or(Later)?), true);
        Ok(())
    }

    pub(super) fn report(&mut self, id: PaymentId, fact: &Fact, fresh: bool) {
        let Some(entry) = self.entry(id) else { return };
        let change = entry.account.apply(fact, fresh);
        match change.next_check {
            NextCheck::Never => entry.due = false,
            NextCheck::Now | NextCheck::Later => entry.due = true,
            NextCheck::AsPlanned => {}
        }
        let account = entry.account.clone();
        if let (Verdict::Differs(why), true) = (change.verdict, fresh) {
            self.differences.push(why);
        }
        let legs = change.happened.iter().flat_map(|one| legs(&account, *one));
        self.ledger.extend(legs);
        self.close_keys();
    }
}
