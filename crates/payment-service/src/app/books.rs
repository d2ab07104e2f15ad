//! The locked payments of a settling transaction, and all that is written with
//! them: rows, ledger, events, answers.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use database::Connection;
use idempotency::Saved;
use types::{CaptureId, PaymentId, RefundId};
use uuid::Uuid;

use super::error::no_payment;
use super::settle::{Close, News, Report, Settled};
use super::{AppError, Policy};
use crate::domain::{
    Account, Capture, Change, Fact, Happened, Leg, NextCheck, Payment, Refund, Verdict,
};
use crate::events;
use crate::metrics::Count;
use crate::store::{captures, ledger_entries, payments, refunds};

type Outcome = (Vec<Result<Settled, AppError>>, News);

/// Makes all reports true, in order. One about a payment that is not there
/// fails alone. The caller commits.
pub(super) async fn settle(
    conn: &mut Connection,
    reports: &[Report],
    policy: &Policy,
) -> Result<Outcome, AppError> {
    let mut books = Books::open(conn, reports).await?;
    let marks: Vec<_> = reports.iter().map(|report| books.apply(report)).collect();
    books.write(conn, policy).await?;
    let answers = books.close_keys(conn).await?;
    let settled = marks.into_iter().zip(reports).map(|(mark, report)| {
        Ok(Settled {
            payment: mark?,
            answer: report.close.and_then(|close| answers.get(&close).cloned()),
        })
    });
    let news = News {
        has_events: !books.events.is_empty(),
        is_due: books.is_due,
        counts: books.counts,
    };
    Ok((settled.collect(), news))
}

/// The locked accounts of a transaction, and what is to be written with them.
struct Books {
    accounts: HashMap<PaymentId, Account>,
    now: DateTime<Utc>,
    changed: HashMap<PaymentId, NextCheck>,
    is_due: bool,
    events: Vec<outbox::Event>,
    legs: Vec<Leg>,
    counts: Vec<Count>,
    /// In order; of a key that comes twice the first answer counts.
    answers: Vec<(Close, Saved)>,
}

impl Books {
    async fn open(conn: &mut Connection, reports: &[Report]) -> Result<Books, AppError> {
        let ids: HashSet<PaymentId> = reports.iter().map(|report| report.payment).collect();
        let ids: Vec<PaymentId> = ids.into_iter().collect();
        let locked = payments::lock(conn, &ids).await?;
        let captures = open_captures(conn, &locked.payments, reports).await?;
        let refunds = open_refunds(conn, &locked.payments, reports).await?;
        let mut accounts: HashMap<PaymentId, Account> = locked
            .payments
            .into_iter()
            .map(|(id, payment)| {
                let account = Account {
                    payment,
                    captures: Vec::new(),
                    refunds: Vec::new(),
                };
                (id, account)
            })
            .collect();
        for capture in captures {
            if let Some(account) = accounts.get_mut(&capture.payment_id) {
                account.captures.push(capture);
            }
        }
        for refund in refunds {
            if let Some(account) = accounts.get_mut(&refund.payment_id) {
                account.refunds.push(refund);
            }
        }
        Ok(Books {
            accounts,
            now: locked.now,
            changed: HashMap::new(),
            is_due: false,
            events: Vec::new(),
            legs: Vec::new(),
            counts: Vec::new(),
            answers: Vec::new(),
        })
    }

    fn apply(&mut self, report: &Report) -> Result<Payment, AppError> {
        let Some(account) = self.accounts.get_mut(&report.payment) else {
            return Err(no_payment(report.payment));
        };
        let was_unknown = account.payment.state.is_unknown();
        let change = account.apply(&report.fact, report.is_fresh);
        if let Verdict::Differs(why) = change.verdict {
            log_difference(&account.payment, report, why);
        }
        if change.changed || matches!(change.next_check, NextCheck::Now | NextCheck::Later) {
            account.payment.version += i64::from(change.changed);
            account.payment.updated_at = self.now;
            let planned = self.changed.remove(&report.payment);
            let planned = sooner(planned, change.next_check);
            self.changed.insert(report.payment, planned);
            self.is_due |= planned == NextCheck::Now;
        }
        for happened in &change.happened {
            account.payment.event_count += 1;
            let traceparent = report.traceparent.clone();
            self.events
                .push(events::event(account, *happened, traceparent));
            self.legs.extend(legs(account, *happened));
            self.counts.extend(Count::of(account, *happened));
        }
        let answered = answered(account, &change, was_unknown);
        for close in answered.into_iter().chain(report.close) {
            if let Some(saved) = close.answer(account) {
                self.answers.push((close, saved));
            }
        }
        Ok(account.payment.clone())
    }

    async fn write(&self, conn: &mut Connection, policy: &Policy) -> Result<(), AppError> {
        if self.changed.is_empty() {
            return Ok(());
        }
        let changed = || {
            let accounts = self.changed.keys();
            accounts.filter_map(|id| self.accounts.get(id))
        };
        let rows: Vec<payments::Saving<'_>> = changed()
            .map(|account| payments::Saving {
                payment: &account.payment,
                next_check: self.changed[&account.payment.id],
            })
            .collect();
        payments::save(conn, &rows, policy.poll()).await?;
        let spoken_of: Vec<&Capture> = changed().flat_map(|account| &account.captures).collect();
        if !spoken_of.is_empty() {
            captures::save(conn, &spoken_of).await?;
        }
        let spoken_of: Vec<&Refund> = changed().flat_map(|account| &account.refunds).collect();
        if !spoken_of.is_empty() {
            refunds::save(conn, &spoken_of).await?;
        }
        if !self.legs.is_empty() {
            ledger_entries::append(conn, &self.legs).await?;
        }
        outbox::append(conn, &self.events).await?;
        Ok(())
    }

    /// Gives the answers that count now.
    async fn close_keys(&self, conn: &mut Connection) -> Result<HashMap<Close, Saved>, AppError> {
        let mut seen = HashSet::new();
        let first = |close: &&(Close, Saved)| seen.insert(close.0);
        let answers: Vec<&(Close, Saved)> = self.answers.iter().filter(first).collect();
        let closing: Vec<(&'static str, Uuid, Saved)> = answers
            .iter()
            .map(|(close, saved)| (close.method(), close.resource(), saved.clone()))
            .collect();
        let kept = idempotency::finish(conn, &closing).await?;
        let closes = answers.iter().map(|(close, _)| *close);
        Ok(closes.zip(kept).collect())
    }
}

/// What two reports of one transaction plan together.
fn sooner(earlier: Option<NextCheck>, later: NextCheck) -> NextCheck {
    match (earlier, later) {
        (Some(NextCheck::Now), _) => NextCheck::Now,
        (Some(NextCheck::Later), NextCheck::AsPlanned) => NextCheck::Later,
        (_, later) => later,
    }
}

/// The running keys that a change gives an answer to, whoever waits for it.
fn answered(account: &Account, change: &Change, was_unknown: bool) -> Vec<Close> {
    let payment = &account.payment;
    let created = (was_unknown && !payment.state.is_unknown()).then_some(Close::Create(payment.id));
    let acknowledged = change.acknowledged.map(Close::Refund);
    let moved = change
        .happened
        .iter()
        .filter_map(|happened| match happened {
            Happened::Captured(id) | Happened::CaptureFailed(id) => Some(Close::Capture(*id)),
            Happened::Refunded(id) | Happened::RefundFailed(id) => Some(Close::Refund(*id)),
            _ => None,
        });
    created
        .into_iter()
        .chain(acknowledged)
        .chain(moved)
        .collect()
}

fn legs(account: &Account, happened: Happened) -> Vec<Leg> {
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

async fn open_captures(
    conn: &mut Connection,
    payments: &HashMap<PaymentId, Payment>,
    reports: &[Report],
) -> Result<Vec<Capture>, AppError> {
    let named = reports.iter().flat_map(|report| {
        let closed = match report.close {
            Some(Close::Capture(id)) => Some(id),
            _ => None,
        };
        let told = match report.fact {
            Fact::Captured(id) | Fact::CaptureRefused { capture: id, .. } => Some(id),
            _ => None,
        };
        closed.into_iter().chain(told)
    });
    let named: Vec<CaptureId> = named.collect();
    let pending = payments.values();
    let pending: Vec<PaymentId> = pending
        .filter(|payment| payment.capture_pending_minor > 0)
        .map(|payment| payment.id)
        .collect();
    match named.is_empty() && pending.is_empty() {
        true => Ok(Vec::new()),
        false => Ok(captures::open(conn, &pending, &named).await?),
    }
}

async fn open_refunds(
    conn: &mut Connection,
    payments: &HashMap<PaymentId, Payment>,
    reports: &[Report],
) -> Result<Vec<Refund>, AppError> {
    let named = reports.iter().flat_map(|report| {
        let closed = match report.close {
            Some(Close::Refund(id)) => Some(id),
            _ => None,
        };
        let told = match &report.fact {
            Fact::Refund(seen) => Some(seen.refund),
            _ => None,
        };
        closed.into_iter().chain(told)
    });
    let named: Vec<RefundId> = named.collect();
    let pending = payments.values();
    let pending: Vec<PaymentId> = pending
        .filter(|payment| payment.refund_pending_minor > 0)
        .map(|payment| payment.id)
        .collect();
    match named.is_empty() && pending.is_empty() {
        true => Ok(Vec::new()),
        false => Ok(refunds::open(conn, &pending, &named).await?),
    }
}

/// An old fact is no news; a fresh one that does not fit is for a person.
fn log_difference(payment: &Payment, report: &Report, why: &'static str) {
    let (id, order, state) = (payment.id, payment.order_id, payment.state.name());
    match report.is_fresh {
        true => tracing::error!(
            payment.id = %id, order.id = %order, state, error = why,
            "the provider's books differ from ours"
        ),
        false => tracing::info!(
            payment.id = %id, order.id = %order, state, error = why,
            "the provider told something that does not fit; it is asked"
        ),
    }
}
