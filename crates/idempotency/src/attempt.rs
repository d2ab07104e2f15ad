//! One transaction: look up, run, take over, record, commit.

use crate::{
    Acted, Answer, Answered, Call, Effect, Failure, Outcome, Refusal, Request, Verb, act,
    judge::{ASK_AGAIN_AFTER, Verdict, judge},
    keys::{self, Mark, Record},
};
use database::{AsDatabaseError, Connection, Database, Tx};
use futures::FutureExt;
use std::{
    panic::AssertUnwindSafe,
    sync::{Mutex, PoisonError},
};
use uuid::Uuid;

/// Why a transaction came to nothing.
pub(crate) enum Broken<E> {
    Failed(E),
    /// Another transaction recorded one of the keys meanwhile.
    Raced,
    /// Another transaction holds one of the keys uncommitted for too long.
    Blocked,
}

impl<E: From<database::Error>> From<database::Error> for Broken<E> {
    fn from(error: database::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl<E: AsDatabaseError> AsDatabaseError for Broken<E> {
    fn as_database_error(&self) -> Option<&database::Error> {
        match self {
            Self::Failed(error) => error.as_database_error(),
            Self::Raced | Self::Blocked => None,
        }
    }
}

/// Resources of work that one run of [`once`](crate::once) began or took over
/// in a transaction whose COMMIT was never answered.
#[derive(Default)]
pub(crate) struct Begun(Mutex<Vec<Uuid>>);

impl Begun {
    fn list(&self) -> Vec<Uuid> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn add(&self, resources: &[Uuid]) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(resources);
    }
}

/// What a transaction has come to, just before its commit.
struct Settled<V: Verb> {
    answers: Vec<Answered<V>>,
    /// Resources of the work that will belong to this run.
    begun: Vec<Uuid>,
}

/// Settles all of `calls` and commits, or leaves nothing behind.
pub(crate) async fn attempt<V: Verb>(
    db: &Database,
    verb: &V,
    calls: &[&Call<V::Input>],
    begun: &Begun,
) -> Result<Vec<Answered<V>>, Broken<V::Error>> {
    let mut tx = db.begin().await?;
    match settle(db, &mut tx, verb, calls, &begun.list()).await {
        Ok(settled) => {
            if failpoint::planted!("acknowledge-before-commit") {
                tokio::spawn(commit_later(tx));
                return Ok(settled.answers);
            }
            let committed = failpoint::around!("idempotency.verb", "commit", tx.commit().await);
            if let Err(error) = &committed
                && error.is_outcome_unknown()
            {
                begun.add(&settled.begun);
            }
            committed?;
            Ok(settled.answers)
        }
        Err(broken) => {
            // Awaited, so that the locks are gone before anything runs again. A
            // failure means that the connection is gone, and the locks with it.
            let _ = tx.rollback().await;
            Err(broken)
        }
    }
}

/// Only a planted bug does so.
async fn commit_later(tx: Tx) -> database::Result<()> {
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    failpoint::around!("idempotency.verb", "commit", tx.commit().await)
}

async fn settle<V: Verb>(
    db: &Database,
    tx: &mut Connection,
    verb: &V,
    calls: &[&Call<V::Input>],
    begun: &[Uuid],
) -> Result<Settled<V>, Broken<V::Error>> {
    let requests: Vec<&Request> = calls.iter().map(|call| &call.request).collect();
    let stored = keys::look_up(tx, &requests).await?;
    let verdicts = judge(&requests, &stored, begun);

    let fresh: Vec<&Call<V::Input>> = calls
        .iter()
        .zip(&verdicts)
        .filter(|(_, verdict)| **verdict == Verdict::Run)
        .map(|(call, _)| *call)
        .collect();
    let acted = failpoint::around!("idempotency.verb", "effect", act(tx, verb, &fresh).await)?;
    // Keys are locked last, like by those who finish work: they have locked
    // its resource before.
    let won = take_over(tx, verb, &requests, &verdicts).await?;
    let started = failpoint::around!(
        "idempotency.keys",
        "record",
        record(db, tx, verb, &fresh, &acted).await
    )?;

    let mut acted = acted.into_iter();
    let answers = verdicts
        .into_iter()
        .filter_map(|verdict| match verdict {
            Verdict::Run => acted.next().map(fresh_answer::<V>),
            known => Some(known_answer::<V>(known, &won)),
        })
        .collect();
    let begun = [won, started].concat();
    Ok(Settled { answers, begun })
}

fn fresh_answer<V: Verb>(acted: Acted<V>) -> Answered<V> {
    match acted {
        Ok(Effect::Finished(output) | Effect::Started { output, .. }) => Ok(Outcome::Fresh(output)),
        Err(error) => Err(Failure::Refused(error)),
    }
}

fn known_answer<V: Verb>(verdict: Verdict, won: &[Uuid]) -> Answered<V> {
    match verdict {
        Verdict::Replay(saved) => Ok(Outcome::Replayed(saved)),
        Verdict::GoOn(resource) => Ok(Outcome::Resumed { resource }),
        Verdict::TakeOver(resource) if won.contains(&resource) => Ok(Outcome::Resumed { resource }),
        Verdict::Wait(retry_after) => Err(Failure::InProgress { retry_after }),
        Verdict::Reused => Err(Failure::KeyReused),
        Verdict::TakeOver(_) | Verdict::Run => Err(Failure::InProgress {
            retry_after: ASK_AGAIN_AFTER,
        }),
    }
}

/// Runs the verb. A panic and a wrong number of results are bugs of the verb;
/// as errors they let the batch be split until only the culprit fails.
async fn act<V: Verb>(
    tx: &mut Connection,
    verb: &V,
    fresh: &[&Call<V::Input>],
) -> Result<Vec<Acted<V>>, Broken<V::Error>> {
    if fresh.is_empty() {
        return Ok(Vec::new());
    }
    let inputs: Vec<&V::Input> = fresh.iter().map(|call| &call.input).collect();
    let acting = AssertUnwindSafe(async { verb.act(tx, &inputs).await });
    let acted = match acting.catch_unwind().await {
        Ok(acted) => acted.map_err(Broken::Failed)?,
        Err(_) => return Err(bug("the verb panicked")),
    };
    match acted.len() == inputs.len() {
        true => Ok(acted),
        false => Err(bug("the verb did not answer each of its inputs")),
    }
}

fn bug<E: From<database::Error>>(what: &'static str) -> Broken<E> {
    database::Error::from(sqlx::Error::AnyDriverError(what.into())).into()
}

/// Gives the resources of the lapsed work that is now ours.
async fn take_over<V: Verb>(
    tx: &mut Connection,
    verb: &V,
    requests: &[&Request],
    verdicts: &[Verdict],
) -> Result<Vec<Uuid>, Broken<V::Error>> {
    let lapsed: Vec<_> = requests
        .iter()
        .zip(verdicts)
        .filter_map(|(request, verdict)| match verdict {
            Verdict::TakeOver(resource) => Some((request.method, *resource)),
            _ => None,
        })
        .collect();
    if lapsed.is_empty() {
        return Ok(Vec::new());
    }
    Ok(failpoint::around!(
        "idempotency.lease",
        "take_over",
        keys::take_over(tx, lapsed, verb.lease()).await
    )?)
}

/// Writes the keys of what the verb did, and gives the resources it started.
async fn record<V: Verb>(
    db: &Database,
    tx: &mut Connection,
    verb: &V,
    fresh: &[&Call<V::Input>],
    acted: &[Acted<V>],
) -> Result<Vec<Uuid>, Broken<V::Error>> {
    let mut records = Vec::with_capacity(fresh.len());
    let mut started = Vec::new();
    let mut unstored = Vec::new();
    for (call, acted) in fresh.iter().zip(acted) {
        let mark = match acted {
            Ok(Effect::Finished(output)) => Mark::Done(output.saved()),
            Ok(Effect::Started { resource, .. }) => {
                started.push(*resource);
                Mark::Running(*resource)
            }
            Err(error) => match error.saved() {
                Some(saved) => Mark::Done(saved),
                None => {
                    unstored.push(&call.request);
                    continue;
                }
            },
        };
        let request = &call.request;
        records.push(Record { request, mark });
    }
    write(db, tx, verb, &records).await?;
    // The refusal may come of our own key's effect, committed by another
    // transaction since the look-up: then its answer counts.
    if !unstored.is_empty()
        && keys::look_up(tx, &unstored)
            .await?
            .iter()
            .any(Option::is_some)
    {
        return Err(Broken::Raced);
    }
    Ok(started)
}

async fn write<V: Verb>(
    db: &Database,
    tx: &mut Connection,
    verb: &V,
    records: &[Record<'_>],
) -> Result<(), Broken<V::Error>> {
    if records.is_empty() {
        return Ok(());
    }
    let recorded = match failpoint::planted!("dedupe-before-effect") {
        true => keys::record_at_once(db, records, verb.kept_for(), verb.lease()).await,
        false => keys::record(tx, records, verb.kept_for(), verb.lease()).await,
    };
    match recorded {
        Ok(written) if written == records.len() => Ok(act::record(tx, records).await?),
        Ok(_) => Err(Broken::Raced),
        Err(error) if error.code().as_deref() == Some("55P03") => Err(Broken::Blocked),
        Err(error) => Err(error.into()),
    }
}
