use crate::{KEPT_FOR, LEASE, Saved};
use database::{AsDatabaseError, Connection};
use std::time::Duration;
use uuid::Uuid;

/// An output that can be stored and replayed.
pub trait Answer {
    fn saved(&self) -> Saved;
}

/// An error of a verb, for one item or for the whole batch.
pub trait Refusal: AsDatabaseError + From<database::Error> {
    /// The answer to store. `None`: not stored, so that the same key may be
    /// tried again (validation, unavailable, aborted, internal).
    fn saved(&self) -> Option<Saved>;
}

/// What a verb did for one input.
#[derive(Debug)]
pub enum Effect<T> {
    /// The answer is final and is stored with the effect.
    Finished(T),
    /// Work goes on after the commit. The key stays running, under a lease,
    /// until [`finish`](crate::finish) closes it by `resource`.
    Started { output: T, resource: Uuid },
}

/// One mutating RPC, written for many calls at once.
pub trait Verb: Send + Sync {
    type Input: Send + Sync;
    type Output: Answer + Send;
    type Error: Refusal + Send;

    /// Gives one result per input, in order, inside the caller's transaction.
    ///
    /// It neither begins nor commits, and has no effect outside the database,
    /// because it may be run again on the same inputs or on a part of them
    /// after a rollback. A refused item must have written nothing. An `Err`
    /// for the whole batch rolls all of it back.
    fn act(
        &self,
        tx: &mut Connection,
        inputs: &[&Self::Input],
    ) -> impl Future<Output = Result<Vec<Acted<Self>>, Self::Error>> + Send;

    /// How long answers are kept.
    fn kept_for(&self) -> Duration {
        KEPT_FOR
    }

    /// How long started work belongs to the caller that began it.
    fn lease(&self) -> Duration {
        LEASE
    }
}

/// What became of one input of a verb.
pub type Acted<V> = Result<Effect<<V as Verb>::Output>, <V as Verb>::Error>;

/// What became of one call.
pub type Answered<V> = Result<Outcome<<V as Verb>::Output>, Failure<<V as Verb>::Error>>;

/// How a call succeeded.
#[derive(Debug)]
pub enum Outcome<T> {
    /// The verb ran for this call.
    Fresh(T),
    /// The answer that was stored for this key; a refusal when `code` is not 0.
    Replayed(Saved),
    /// The work under this key was begun before and is now this caller's to go
    /// on with: its lease had run out, or the caller began it itself and lost
    /// the answer to its commit.
    Resumed { resource: Uuid },
}

/// Why a call has no answer of its own.
#[derive(Debug)]
pub enum Failure<E> {
    /// The key belongs to another request.
    KeyReused,
    /// The same request is running somewhere; ask again later.
    InProgress { retry_after: Duration },
    /// The verb refused, or the database did.
    Refused(E),
}
