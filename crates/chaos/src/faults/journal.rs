//! What was done to the shop, and when.

use std::collections::BTreeMap;
use std::process::ExitStatus;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use serde::Serialize;

use crate::shop::Replica;
use crate::verdict::{Circumstances, Fault, Restart};

/// How many of the newest faults are shown while it runs.
const NEWEST: usize = 5;

#[derive(Default)]
pub struct Journal(Mutex<Notes>);

#[derive(Debug, Clone, Default)]
pub struct Notes {
    pub tally: Tally,
    /// What is broken now, and since when.
    pub broken: BTreeMap<u64, (DateTime<Utc>, String)>,
    /// In the order of their beginnings.
    pub newest: Vec<(DateTime<Utc>, String)>,
    pub circumstances: Circumstances,
    /// What should not have been: each fails the run.
    pub troubles: Vec<String>,
    numbered: u64,
}

/// How often what happened.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Tally {
    pub faults: BTreeMap<&'static str, usize>,
    /// Failpoints at which a process died.
    pub points: BTreeMap<&'static str, usize>,
    /// Failpoints that nobody came by in time.
    pub points_not_reached: BTreeMap<&'static str, usize>,
    /// Processes that ended by themselves while something they need was away.
    pub ended: BTreeMap<String, Ended>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Ended {
    pub count: usize,
    pub last_words: String,
}

/// A fault from its beginning to its end; whoever drops it unended leaves it
/// broken.
pub struct Window<'a> {
    journal: &'a Journal,
    number: u64,
    from: DateTime<Utc>,
    what: String,
}

impl Journal {
    pub fn begin(&self, kind: &'static str, what: String) -> Window<'_> {
        let mut notes = self.0.lock();
        let from = Utc::now();
        *notes.tally.faults.entry(kind).or_default() += 1;
        notes.numbered += 1;
        let number = notes.numbered;
        notes.broken.insert(number, (from, what.clone()));
        notes.newest.push((from, what.clone()));
        if notes.newest.len() > NEWEST {
            notes.newest.remove(0);
        }
        Window {
            journal: self,
            number,
            from,
            what,
        }
    }

    pub(super) fn restarted(&self, what: String, at: DateTime<Utc>) {
        let restart = Restart { what, at };
        self.0.lock().circumstances.restarts.push(restart);
    }

    pub(super) fn flushed(&self, at: DateTime<Utc>) {
        self.0.lock().circumstances.flushes.push(at);
    }

    pub(super) fn reached(&self, point: &'static str) {
        *self.0.lock().tally.points.entry(point).or_default() += 1;
    }

    pub(super) fn not_reached(&self, point: &'static str) {
        let mut notes = self.0.lock();
        *notes.tally.points_not_reached.entry(point).or_default() += 1;
    }

    pub(super) fn ended(&self, replica: &Replica, status: ExitStatus) {
        let mut notes = self.0.lock();
        let what = format!("{}: {status}", replica.service());
        let ended = notes.tally.ended.entry(what).or_default();
        ended.count += 1;
        ended.last_words = replica.log().lines().last().unwrap_or_default().to_owned();
    }

    pub fn trouble(&self, what: String) {
        self.0.lock().troubles.push(what);
    }

    pub fn notes(&self) -> Notes {
        self.0.lock().clone()
    }
}

impl Window<'_> {
    pub(super) fn end(self) {
        self.end_at(Utc::now());
    }

    pub(super) fn end_at(self, until: DateTime<Utc>) {
        let mut notes = self.journal.0.lock();
        notes.broken.remove(&self.number);
        notes.circumstances.faults.push(Fault {
            what: self.what,
            from: self.from,
            until,
        });
    }
}
