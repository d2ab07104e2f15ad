//! What each payment, capture and refund means for who asked for it.

use std::collections::BTreeMap;

use payment_service::domain::{
    Account, Happened, LedgerAccount, Leg, Payment, State, TransferState,
};

use super::{Answered, Later, Money, Said, Work};

impl Money {
    pub fn balances(&self) -> BTreeMap<&'static str, i64> {
        let mut sums = BTreeMap::new();
        for leg in &self.ledger {
            let name = match leg.account {
                LedgerAccount::Provider => "provider",
                LedgerAccount::Sales => "sales",
                LedgerAccount::Refunds => "refunds",
            };
            *sums.entry(name).or_insert(0) += leg.amount_minor;
        }
        sums
    }

    /// Keeps every answer that is known now, whoever waits for it.
    pub(super) fn close_keys(&mut self) {
        let open = std::mem::take(&mut self.open);
        for (key, work) in open {
            match self.answer(work) {
                Ok(said) if !matches!(work, Work::Void(_)) => drop(self.keys.keep(&key, said)),
                _ => self.open.push((key, work)),
            }
        }
    }

    pub(super) fn close(&mut self, key: &str, work: Work) -> Answered {
        let said = self.answer(work)?;
        Ok(self.keys.keep(key, said))
    }

    pub(super) fn answer(&self, work: Work) -> Answered {
        let all = || self.entries.iter().map(|entry| &entry.account);
        match work {
            Work::Create(id) => created(&self.account(id).ok_or(Later)?.payment),
            Work::Void(id) => voided(&self.account(id).ok_or(Later)?.payment),
            Work::Capture(id) => {
                let made = |account: &Account| {
                    let capture = account.captures.iter().find(|one| one.id == id)?;
                    Some((account.payment.clone(), capture.state))
                };
                match all().find_map(made) {
                    Some((payment, TransferState::Succeeded)) => {
                        Ok(Said::Captured(Box::new(payment)))
                    }
                    Some((_, TransferState::Failed)) => Ok(Said::No("CAPTURE_REFUSED")),
                    Some((_, TransferState::Pending)) | None => Err(Later),
                }
            }
            Work::Refund(id) => {
                let refund = all().flat_map(|account| &account.refunds);
                match refund.into_iter().find(|refund| refund.id == id) {
                    Some(refund) if refund.state == TransferState::Failed => {
                        Ok(Said::No("REFUND_REFUSED"))
                    }
                    Some(refund)
                        if refund.state == TransferState::Pending
                            && refund.provider_reference.is_none() =>
                    {
                        Err(Later)
                    }
                    Some(refund) => Ok(Said::Refund(id, refund.state)),
                    None => Err(Later),
                }
            }
        }
    }
}

pub(super) fn created(payment: &Payment) -> Answered {
    match payment.state {
        State::Created | State::Processing => Err(Later),
        _ if payment.void_requested => Ok(Said::No("PAYMENT_VOIDED")),
        State::RequiresAction | State::Authorized | State::PartiallyCaptured | State::Captured => {
            Ok(Said::Payment(Box::new(payment.clone())))
        }
        State::Declined | State::Failed => Ok(Said::No("PAYMENT_DECLINED")),
        State::Voided | State::Expired => Ok(Said::No("PAYMENT_VOIDED")),
    }
}

fn voided(payment: &Payment) -> Answered {
    match payment.state {
        State::Created | State::Processing | State::RequiresAction | State::Authorized => {
            Err(Later)
        }
        State::PartiallyCaptured | State::Captured => Ok(Said::No("ILLEGAL_TRANSITION")),
        State::Voided | State::Declined | State::Expired | State::Failed => {
            Ok(Said::Payment(Box::new(payment.clone())))
        }
    }
}

pub(super) fn is_open(payment: &Payment) -> bool {
    payment.state.is_open()
        || payment.capture_pending_minor > 0
        || payment.refund_pending_minor > 0
        || payment.void_requested && payment.state == State::Authorized
}

/// The provider holds money that nobody wants any more.
pub(super) fn unwanted(payment: &Payment) -> bool {
    let holds = matches!(payment.state, State::Authorized | State::RequiresAction);
    payment.state.is_dead() || payment.void_requested && holds
}

pub(super) fn legs(account: &Account, happened: Happened) -> Vec<Leg> {
    let payment = &account.payment;
    let capture = |id| account.captures.iter().find(|capture| capture.id == id);
    let refund = |id| account.refunds.iter().find(|refund| refund.id == id);
    let legs = match happened {
        Happened::Captured(id) => capture(id).map(|capture| Leg::of_capture(payment, capture)),
        Happened::Refunded(id) => refund(id).map(|refund| Leg::of_refund(payment, refund)),
        Happened::RefundReturned(id) => {
            refund(id).map(|refund| Leg::of_returned_refund(payment, refund))
        }
        _ => None,
    };
    legs.into_iter().flatten().collect()
}
