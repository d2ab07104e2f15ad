//! sqlx knows nothing of fail-over: a connection to a server that has become
//! a standby stays in the pool and refuses every write. The signs of it are
//! noted here, and no connection older than the last sign is used again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::Error;

#[derive(Clone, Default)]
pub(crate) struct LastSign(Arc<Mutex<Option<Instant>>>);

impl LastSign {
    pub(crate) fn note(&self, error: &Error) {
        if error.is_connection_lost() {
            self.renew();
        }
    }

    /// No connection that is open by now is used again.
    pub(crate) fn renew(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// May a connection opened `age` ago be used?
    pub(crate) fn trusts(&self, age: Duration) -> bool {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(sign) => age < sign.elapsed(),
            None => true,
        }
    }
}
