//! Builds the books from the journal.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use parking_lot::{Mutex, RwLock};

use super::entry::{AnswerNote, Entry};
use super::intent::Intent;
use super::journal::Place;
use super::keys::{Fingerprint, Keys};
use super::refund::{Refund, RefundState};
use super::{Account, Accounts, Books, OpenError, Undelivered, open};

/// The books, and the work that the last process left behind.
pub struct Opened {
    pub books: Books,
    /// In the order in which they happened.
    pub undelivered: Vec<Undelivered>,
    /// Ids of refunds that are pending.
    pub unsettled: Vec<String>,
}

#[derive(Default)]
struct Replay {
    accounts: Accounts,
    keys: Arc<Keys>,
    undelivered: HashMap<String, Undelivered>,
    next_sequence: u64,
}

impl Books {
    /// Opens the journal in `directory`, or begins one.
    pub fn open(directory: &Path) -> Result<Opened, OpenError> {
        let io_error = |source| OpenError::Io {
            path: directory.to_owned(),
            source,
        };
        std::fs::create_dir_all(directory).map_err(io_error)?;
        let mut replay = Replay::default();
        let journal = open::journal(&directory.join("books.jsonl"), |entry, place| {
            replay.accept(entry, place)
        })?;
        let undelivered = replay.undelivered();
        let unsettled = replay.unsettled();
        let books = Books {
            journal,
            keys: replay.keys,
            accounts: RwLock::new(replay.accounts),
            sequence: AtomicU64::new(replay.next_sequence),
        };
        Ok(Opened {
            books,
            undelivered,
            unsettled,
        })
    }
}

impl Replay {
    fn accept(&mut self, entry: Entry, place: Place) -> Result<(), String> {
        for event in entry.events {
            let id = event.id.clone();
            self.undelivered.insert(id, event.undelivered(place));
        }
        for event in entry.delivered {
            self.undelivered.remove(&event);
        }
        if let Some(intent) = entry.intent {
            self.put_intent(intent);
        }
        if let Some(refund) = entry.refund {
            self.put_refund(refund)?;
        }
        match entry.answer {
            Some(answer) => self.put_answer(&answer, place),
            None => Ok(()),
        }
    }

    fn put_intent(&mut self, intent: Intent) {
        self.next_sequence = self.next_sequence.max(intent.sequence + 1);
        if let Some(account) = self.accounts.by_intent.get(intent.id.as_str()) {
            account.lock().intent = intent;
            return;
        }
        let id = intent.id.as_str().into();
        let age = (intent.created, intent.sequence);
        let account = Arc::new(Mutex::new(Account {
            intent,
            refunds: Vec::new(),
            end: 0,
        }));
        self.accounts.by_intent.insert(id, Arc::clone(&account));
        self.accounts.by_age.insert(age, account);
    }

    fn put_refund(&mut self, refund: Refund) -> Result<(), String> {
        self.next_sequence = self.next_sequence.max(refund.sequence + 1);
        let account = self
            .accounts
            .by_intent
            .get(refund.intent.as_str())
            .ok_or_else(|| format!("refund {} of unknown {}", refund.id, refund.intent))?;
        let mut state = account.lock();
        match state.refunds.iter_mut().find(|known| known.id == refund.id) {
            Some(known) => *known = refund,
            None => {
                let id = refund.id.as_str().into();
                self.accounts.by_refund.insert(id, Arc::clone(account));
                state.refunds.push(refund);
            }
        }
        Ok(())
    }

    fn put_answer(&mut self, answer: &AnswerNote, place: Place) -> Result<(), String> {
        let mut fingerprint = Fingerprint::default();
        hex::decode_to_slice(&answer.fingerprint, &mut fingerprint)
            .map_err(|error| format!("fingerprint: {error}"))?;
        self.keys.restore(&answer.key, fingerprint, place);
        Ok(())
    }

    fn undelivered(&mut self) -> Vec<Undelivered> {
        let events = self.undelivered.drain();
        let mut events: Vec<Undelivered> = events.map(|(_, event)| event).collect();
        events.sort_by_key(|event| event.place.start);
        events
    }

    fn unsettled(&self) -> Vec<String> {
        let mut ids = Vec::new();
        for (id, account) in &self.accounts.by_refund {
            let account = account.lock();
            let pending = |refund: &&Refund| matches!(refund.state, RefundState::Pending { .. });
            let found = account.refunds.iter().filter(pending);
            ids.extend(
                found
                    .filter(|refund| refund.id.as_str() == &**id)
                    .map(|refund| refund.id.clone()),
            );
        }
        ids
    }
}
