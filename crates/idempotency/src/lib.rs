//! One contract for every mutating call: the same key and request have one
//! effect and one answer, whatever is repeated, raced, lost or killed.
//!
//! [`once`] looks the keys up, runs the verb on the fresh calls, records the
//! answers and commits, all in one transaction; there is no moment at which
//! the effect stands without its key or the key without its effect. Who did it
//! is written to the audit log in the same transaction. Keys live in the
//! service's own database. What a stored answer means to a client
//! (status, trailers) is the business of the edge.

mod act;
mod attempt;
mod judge;
mod keys;
mod metrics;
mod once;
mod prune;
mod request;
mod running;
mod verb;

pub use once::once;
pub use prune::prune;
pub use request::{Call, Origin, Request, Saved};
pub use running::{extend, finish, lapse};
pub use verb::{Acted, Answer, Answered, Effect, Failure, Outcome, Refusal, Verb};

use std::time::Duration;

/// How long an answer is kept, unless the verb says otherwise.
pub const KEPT_FOR: Duration = Duration::from_secs(72 * 60 * 60);

/// How long running work belongs to whoever began or extended it, unless the
/// verb says otherwise.
pub const LEASE: Duration = Duration::from_secs(30);

/// The table `idempotency_keys`.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();
