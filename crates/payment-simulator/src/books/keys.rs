//! Idempotency keys: which are being worked on, and where in the journal the
//! answers of the others are.
//!
//! Keys are kept for ever: Stripe promises "at least 24 hours", and one costs
//! about a hundred bytes.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::sync::Arc;

use parking_lot::Mutex;

use super::journal::Place;

/// What a request asks for, so that a reuse of its key for something else shows.
pub type Fingerprint = [u8; 16];

#[derive(Default)]
pub struct Keys(Mutex<HashMap<Box<str>, Key>>);

#[derive(Clone, Copy)]
struct Key {
    fingerprint: Fingerprint,
    /// `None` while the first call runs.
    answer: Option<Place>,
}

pub enum Claimed {
    /// The key is new; dropping the claim unused forgets it again.
    Fresh(Claim),
    Answered(Place),
    InUse,
    /// The key stands for another request.
    Reused,
}

/// The right to answer a key.
pub struct Claim {
    keys: Arc<Keys>,
    pub key: Box<str>,
    pub fingerprint: Fingerprint,
    answered: bool,
}

impl Keys {
    pub fn claim(self: &Arc<Self>, key: &str, fingerprint: Fingerprint) -> Claimed {
        let mut keys = self.0.lock();
        match keys.entry(key.into()) {
            Slot::Occupied(slot) => {
                let known = slot.get();
                match known.answer {
                    _ if known.fingerprint != fingerprint => Claimed::Reused,
                    Some(place) => Claimed::Answered(place),
                    None => Claimed::InUse,
                }
            }
            Slot::Vacant(slot) => {
                slot.insert(Key {
                    fingerprint,
                    answer: None,
                });
                Claimed::Fresh(Claim {
                    keys: Arc::clone(self),
                    key: key.into(),
                    fingerprint,
                    answered: false,
                })
            }
        }
    }

    /// Takes over a key from the journal.
    pub fn restore(&self, key: &str, fingerprint: Fingerprint, place: Place) {
        let answer = Some(place);
        self.0.lock().insert(
            key.into(),
            Key {
                fingerprint,
                answer,
            },
        );
    }
}

impl Claim {
    pub fn answer(mut self, place: Place) {
        self.answered = true;
        self.keys.restore(&self.key, self.fingerprint, place);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.answered {
            self.keys.0.lock().remove(&self.key);
        }
    }
}
