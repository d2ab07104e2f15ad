//! Tokens whose signatures are known to be good: a caller shows the same one
//! with every call, and to prove it takes longer than all else at the gate.

use std::{collections::HashSet, mem, sync::Arc};

use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use crate::keys::Keys;

/// As many are remembered at least, and twice as many at most.
const TOKENS: usize = 4096;

type Fingerprint = [u8; 32];

/// What was proven by the keys of now; of tokens there are digests only.
#[derive(Debug, Default)]
pub(crate) struct Proven(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    /// By which it was proven. Other keys prove it anew.
    keys: Option<Arc<Keys>>,
    young: HashSet<Fingerprint>,
    old: HashSet<Fingerprint>,
}

impl Proven {
    pub(crate) fn fingerprint(token: &str) -> Fingerprint {
        Sha256::digest(token).into()
    }

    pub(crate) fn holds(&self, keys: &Arc<Keys>, token: &Fingerprint) -> bool {
        let mut remembered = self.0.lock();
        if !remembered.is_of(keys) {
            return false;
        }
        if remembered.young.contains(token) {
            return true;
        }
        let is_old = remembered.old.contains(token);
        if is_old {
            remembered.remember(*token);
        }
        is_old
    }

    pub(crate) fn add(&self, keys: &Arc<Keys>, token: Fingerprint) {
        let mut remembered = self.0.lock();
        if !remembered.is_of(keys) {
            *remembered = Remembered {
                keys: Some(keys.clone()),
                ..Remembered::default()
            };
        }
        remembered.remember(token);
    }
}

impl Remembered {
    fn is_of(&self, keys: &Arc<Keys>) -> bool {
        self.keys.as_ref().is_some_and(|own| Arc::ptr_eq(own, keys))
    }

    fn remember(&mut self, token: Fingerprint) {
        if self.young.len() >= TOKENS {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(token);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panic")]
mod tests {
    use super::*;
    use crate::developer::Key;

    fn keys() -> Arc<Keys> {
        Arc::new(Keys::parse(Key::generate().unwrap().jwks().as_bytes()).unwrap())
    }

    #[test]
    fn what_other_keys_have_proven_is_proven_anew() {
        let (proven, before, now) = (Proven::default(), keys(), keys());
        let token = Proven::fingerprint("a.b.c");
        assert!(!proven.holds(&before, &token));
        proven.add(&before, token);
        assert!(proven.holds(&before, &token));
        assert!(!proven.holds(&now, &token));
        proven.add(&now, Proven::fingerprint("d.e.f"));
        assert!(!proven.holds(&before, &token));
        assert!(!proven.holds(&now, &token));
    }

    #[test]
    fn those_that_are_shown_stay_and_the_others_go() {
        let (proven, keys) = (Proven::default(), keys());
        let [shown, silent] = ["shown", "silent"].map(Proven::fingerprint);
        proven.add(&keys, shown);
        proven.add(&keys, silent);
        for number in 0..3 * TOKENS {
            proven.add(&keys, Proven::fingerprint(&number.to_string()));
            assert!(proven.holds(&keys, &shown));
        }
        assert!(!proven.holds(&keys, &silent));
        let remembered = proven.0.lock();
        assert!(remembered.young.len() + remembered.old.len() <= 2 * TOKENS);
    }
}
