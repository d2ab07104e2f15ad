use crate::{
    Answered, Call, Failure, Verb,
    attempt::{Begun, Broken, attempt},
    judge::ASK_AGAIN_AFTER,
    metrics,
};
use database::{AsDatabaseError, Database};
use tracing::warn;

/// How often a part of a batch is run before its contention counts as work in
/// progress elsewhere, or its unknown outcome as unavailability.
const RUNS_MAX: u32 = 3;

/// Gives every call its one effect and one answer; one result per call, in
/// order. Each item stands alone: a batch that breaks is split in halves until
/// only the culprit fails.
///
/// Lost races and lost connections are retried here. When the answer to a
/// COMMIT is lost, the keys are looked up again, so a call that did commit gets
/// [`Outcome::Replayed`](crate::Outcome::Replayed), or
/// [`Outcome::Resumed`](crate::Outcome::Resumed) for work it started.
///
/// Must run to its end once begun: call it on a task that no client can cancel.
pub async fn once<V: Verb>(db: &Database, verb: &V, calls: &[Call<V::Input>]) -> Vec<Answered<V>> {
    let begun = Begun::default();
    let mut answers = Vec::with_capacity(calls.len());
    // A stack whose top is the earliest part, so that answers come in order.
    let mut parts = vec![calls.iter().collect::<Vec<_>>()];
    while let Some(mut part) = parts.pop() {
        if part.is_empty() {
            continue;
        }
        match run(db, verb, &part, &begun).await {
            Ok(settled) => answers.extend(settled),
            Err(broken) if part.len() > 1 && may_be_one_culprit(&broken) => {
                log_split(&broken, part.len());
                let later = part.split_off(part.len() / 2);
                parts.push(later);
                parts.push(part);
            }
            Err(broken) => answers.extend(fail_all::<V>(broken, part.len())),
        }
    }
    metrics::answered::<V>(&answers);
    answers
}

/// Runs one part until it is settled or repeating it is of no use.
async fn run<V: Verb>(
    db: &Database,
    verb: &V,
    part: &[&Call<V::Input>],
    begun: &Begun,
) -> Result<Vec<Answered<V>>, Broken<V::Error>> {
    let mut runs = 1;
    loop {
        let result = db.retry(|| attempt(db, verb, part, begun)).await;
        match &result {
            Err(broken) if runs < RUNS_MAX && worth_another_run(broken, part.len(), runs) => {
                runs += 1;
            }
            _ => return result,
        }
    }
}

fn worth_another_run<E: AsDatabaseError>(broken: &Broken<E>, size: usize, runs: u32) -> bool {
    match broken {
        // The key is there now: the next look-up finds it.
        Broken::Raced => true,
        // Others of the batch need not wait: it is split first.
        Broken::Blocked => size == 1,
        Broken::Failed(error) => match error.as_database_error() {
            Some(error) if error.is_outcome_unknown() => true,
            Some(error) if error.is_transient() || error.is_unavailable() => false,
            // A constraint may speak of this very key's effect, committed by
            // another transaction since the look-up.
            _ => size == 1 && runs == 1,
        },
    }
}

/// Would a part of the batch fare better than the whole?
fn may_be_one_culprit<E: AsDatabaseError>(broken: &Broken<E>) -> bool {
    match broken {
        Broken::Raced | Broken::Blocked => true,
        Broken::Failed(error) => !error
            .as_database_error()
            .is_some_and(|error| error.is_transient() || error.is_unavailable()),
    }
}

fn log_split<E: AsDatabaseError>(broken: &Broken<E>, size: usize) {
    let cause = match broken {
        Broken::Raced | Broken::Blocked => "a key is contended".to_owned(),
        Broken::Failed(error) => error.as_database_error().map_or_else(
            || "the verb refused the whole batch".to_owned(),
            ToString::to_string,
        ),
    };
    warn!(
        batch.size = size,
        error = cause,
        "a batch is split to find the culprit"
    );
}

/// A batch of several fails as a whole only by a database error, and each of
/// its callers is told that.
fn fail_all<V: Verb>(broken: Broken<V::Error>, size: usize) -> Vec<Answered<V>> {
    let error = match broken {
        Broken::Failed(error) => error,
        Broken::Raced | Broken::Blocked => {
            return (0..size)
                .map(|_| {
                    Err(Failure::InProgress {
                        retry_after: ASK_AGAIN_AFTER,
                    })
                })
                .collect();
        }
    };
    let cause = error.as_database_error().cloned();
    let others = (1..size).filter_map(|_| cause.clone().map(V::Error::from));
    let mut failures: Vec<Answered<V>> = others.map(|error| Err(Failure::Refused(error))).collect();
    failures.push(Err(Failure::Refused(error)));
    failures
}
