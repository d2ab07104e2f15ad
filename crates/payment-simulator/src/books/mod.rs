//! What the simulator knows and keeps: intents with their refunds, idempotency
//! keys, events under way. All of it lives in memory and comes back from the
//! journal.
//!
//! Each intent has its own lock, and no lock is held while the disk works. A
//! change is seen by others as soon as it is in memory, so whoever answers from
//! the books first waits until what it saw is durable ([`Books::durable`]).

pub mod entry;
pub mod intent;
pub mod journal;
pub mod keys;
mod open;
pub mod refund;
mod replay;
pub mod totals;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

use entry::{AnswerNote, Entry, EventKind, EventNote};
use intent::Intent;
use journal::{Broken, Journal, Place};
use keys::{Claim, Keys};
use refund::Refund;
use totals::Totals;

pub use open::OpenError;
pub use replay::Opened;

/// An intent and its refunds, under one lock.
pub struct Account {
    pub intent: Intent,
    pub refunds: Vec<Refund>,
    /// How far the journal must be durable before this state may be told.
    pub end: u64,
}

pub type SharedAccount = Arc<Mutex<Account>>;

pub struct Books {
    journal: Journal,
    pub keys: Arc<Keys>,
    accounts: RwLock<Accounts>,
    sequence: AtomicU64,
}

#[derive(Default)]
struct Accounts {
    by_intent: HashMap<Box<str>, SharedAccount>,
    by_refund: HashMap<Box<str>, SharedAccount>,
    /// (created, sequence): the order of lists.
    by_age: BTreeMap<(i64, u64), SharedAccount>,
}

/// A change of one account, to be recorded as one journal line.
#[derive(Default)]
pub struct Step<'a> {
    pub at: i64,
    pub intent: Option<Intent>,
    pub refund: Option<Refund>,
    pub events: Vec<EventKind>,
    /// Kept when the call came with a key.
    pub answer: Option<&'a Answer>,
}

/// What a call is answered: HTTP status and JSON.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub body: Box<RawValue>,
}

/// A recorded change: tell nobody before the journal is durable up to `end`.
pub struct Recorded {
    pub end: u64,
    pub events: Vec<Undelivered>,
}

/// An event that the receiver has not acknowledged; its content is in the journal.
#[derive(Debug, Clone)]
pub struct Undelivered {
    pub id: Arc<str>,
    pub place: Place,
    /// Of the request that caused it.
    pub traceparent: Option<Arc<str>>,
}

#[derive(Debug, thiserror::Error)]
pub enum BooksError {
    #[error(transparent)]
    Broken(#[from] Broken),
    #[error("the journal cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("journal entry: {0}")]
    Entry(#[from] serde_json::Error),
}

impl Books {
    /// Numbers intents and refunds in the order in which they are made.
    pub fn next_sequence(&self) -> u64 {
        self.sequence.fetch_add(1, Ordering::Relaxed)
    }

    pub fn account(&self, intent: &str) -> Option<SharedAccount> {
        self.accounts.read().by_intent.get(intent).cloned()
    }

    pub fn account_of_refund(&self, refund: &str) -> Option<SharedAccount> {
        self.accounts.read().by_refund.get(refund).cloned()
    }

    /// Newest first, those created at `from` or later, after `after` in the list.
    pub fn page(&self, from: i64, after: Option<(i64, u64)>, limit: usize) -> Vec<SharedAccount> {
        let accounts = self.accounts.read();
        let end = after.unwrap_or((i64::MAX, u64::MAX)).max((from, 0));
        accounts
            .by_age
            .range((from, 0)..end)
            .rev()
            .take(limit)
            .map(|(_, account)| Arc::clone(account))
            .collect()
    }

    /// The same of refunds, and how far the journal must be durable before they
    /// may be told.
    pub fn refunds(
        &self,
        from: i64,
        after: Option<(i64, u64)>,
        limit: usize,
    ) -> (Vec<Refund>, u64) {
        let accounts: Vec<SharedAccount> = {
            let accounts = self.accounts.read();
            accounts.by_refund.values().cloned().collect()
        };
        let is_listed = |refund: &&Refund| {
            let age = (refund.created, refund.sequence);
            refund.created >= from && after.is_none_or(|after| age < after)
        };
        let mut end = 0;
        let mut found = BTreeMap::new();
        for account in accounts {
            let account = account.lock();
            end = end.max(account.end);
            for refund in account.refunds.iter().filter(is_listed) {
                found.insert((refund.created, refund.sequence), refund.clone());
            }
        }
        let newest = found.into_values().rev().take(limit);
        (newest.collect(), end)
    }

    /// Adds a new intent and records it. The lock is held meanwhile, so that
    /// nobody sees the account before its line is queued.
    pub fn open_account(
        &self,
        intent: Intent,
        step: Step<'_>,
        claim: Option<Claim>,
    ) -> Result<Recorded, BooksError> {
        let age = (intent.created, intent.sequence);
        let id = intent.id.as_str().into();
        let account = Arc::new(Mutex::new(Account {
            intent,
            refunds: Vec::new(),
            end: 0,
        }));
        let mut opened = account.lock();
        {
            let mut accounts = self.accounts.write();
            accounts.by_intent.insert(id, Arc::clone(&account));
            accounts.by_age.insert(age, Arc::clone(&account));
        }
        self.record(&account, &mut opened, step, claim)
    }

    /// Queues the line, then makes the change in memory; all or nothing.
    /// `account` is what `state` was locked from.
    pub fn record(
        &self,
        account: &SharedAccount,
        state: &mut Account,
        step: Step<'_>,
        claim: Option<Claim>,
    ) -> Result<Recorded, BooksError> {
        let mut entry = step.into_entry(claim.as_ref());
        let place = self.journal.append(&serde_json::to_vec(&entry)?)?;
        state.end = place.end();
        if let Some(intent) = entry.intent.take() {
            state.intent = intent;
        }
        if let Some(refund) = entry.refund.take() {
            self.put_refund(account, state, refund);
        }
        if let Some(claim) = claim {
            claim.answer(place);
        }
        let events = entry.events.into_iter();
        Ok(Recorded {
            end: place.end(),
            events: events.map(|note| note.undelivered(place)).collect(),
        })
    }

    fn put_refund(&self, account: &SharedAccount, state: &mut Account, refund: Refund) {
        match state.refunds.iter_mut().find(|known| known.id == refund.id) {
            Some(known) => *known = refund,
            None => {
                let mut accounts = self.accounts.write();
                let id = refund.id.as_str().into();
                accounts.by_refund.insert(id, Arc::clone(account));
                state.refunds.push(refund);
            }
        }
    }

    /// Notes that an event arrived. Not waited for: should it be lost, the
    /// event is sent once more.
    pub fn delivered(&self, at: i64, event: &str) -> Result<(), BooksError> {
        let entry = Entry {
            at,
            delivered: vec![event.to_owned()],
            ..Entry::default()
        };
        self.journal.append(&serde_json::to_vec(&entry)?)?;
        Ok(())
    }

    pub async fn durable(&self, end: u64) -> Result<(), BooksError> {
        Ok(self.journal.durable(end).await?)
    }

    /// A line that was recorded, once it is durable.
    pub async fn entry(&self, place: Place) -> Result<Entry, BooksError> {
        self.journal.durable(place.end()).await?;
        Ok(serde_json::from_slice(&self.journal.read(place)?)?)
    }

    /// Cancelled when the books can no longer be written.
    pub fn broken(&self) -> CancellationToken {
        self.journal.broken()
    }

    /// The sums per currency. Exact only while nothing changes.
    pub fn totals(&self) -> BTreeMap<String, Totals> {
        let accounts: Vec<SharedAccount> = self.accounts.read().by_age.values().cloned().collect();
        let mut totals = BTreeMap::<String, Totals>::new();
        for account in accounts {
            let account = account.lock();
            let currency = account.intent.currency.clone();
            totals.entry(currency).or_default().add(&account);
        }
        totals
    }
}

impl EventNote {
    fn undelivered(self, place: Place) -> Undelivered {
        Undelivered {
            id: self.id.into(),
            place,
            traceparent: self.traceparent.map(Into::into),
        }
    }
}

impl Step<'_> {
    fn into_entry(self, claim: Option<&Claim>) -> Entry {
        let traceparent = telemetry::propagation::current_traceparent();
        let note = |kind| EventNote {
            id: crate::ids::random("evt"),
            kind,
            traceparent: traceparent.clone(),
        };
        let answer = claim.zip(self.answer).map(|(claim, answer)| AnswerNote {
            key: claim.key.to_string(),
            fingerprint: hex::encode(claim.fingerprint),
            status: answer.status,
            body: answer.body.clone(),
        });
        Entry {
            at: self.at,
            intent: self.intent,
            refund: self.refund,
            events: self.events.into_iter().map(note).collect(),
            answer,
            delivered: Vec::new(),
        }
    }
}
