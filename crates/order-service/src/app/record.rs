//! The saga's writes, gathered over all sagas that run.

use batch::Gatherer;
use database::Database;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::journal::{self, Entry, Written};
use crate::metrics;
use crate::parts::by_weight;
use crate::store::orders::Times;

const LIMIT: usize = 256;
/// A statement with more takes too long.
const LINES_MAX: usize = 10_000;

/// `Err`: nothing is known of the write; the claim is given up and whoever
/// comes next reads the order again.
pub type Recorded = Result<Written, String>;

pub fn gather(db: Database, times: Times) -> Gatherer<Entry, Recorded> {
    Gatherer::spawn("record", LIMIT, move |entries| {
        let db = db.clone();
        async move {
            let mut recorded = Vec::with_capacity(entries.len());
            for part in by_weight(entries, LINES_MAX, journal::lines_written) {
                recorded.extend(all(&db, &part, times).await);
            }
            recorded
        }
    })
}

/// Each entry stands alone: a batch that breaks is split until only the
/// culprit fails.
fn all<'a>(db: &'a Database, entries: &'a [Entry], times: Times) -> BoxFuture<'a, Vec<Recorded>> {
    async move {
        match db.retry(|| together(db, entries, times)).await {
            Ok(written) => written.into_iter().map(Ok).collect(),
            Err(error) if entries.len() > 1 && !error.is_unavailable() => {
                tracing::warn!(%error, batch.size = entries.len(), "a batch of writes is split");
                let (first, second) = entries.split_at(entries.len() / 2);
                let mut recorded = all(db, first, times).await;
                recorded.extend(all(db, second, times).await);
                recorded
            }
            Err(error) => vec![Err(error.to_string()); entries.len()],
        }
    }
    .boxed()
}

async fn together(
    db: &Database,
    entries: &[Entry],
    times: Times,
) -> database::Result<Vec<Written>> {
    let mut tx = db.begin().await?;
    let written = journal::write(&mut tx, entries, times);
    let written = failpoint::around!("order.journal", "record", written.await)?;
    failpoint::around!("order.journal", "commit", tx.commit().await)?;
    count(entries, &written);
    Ok(written)
}

/// Here alone orders come to an end or are confirmed.
fn count(entries: &[Entry], written: &[Written]) {
    for (entry, written) in entries.iter().zip(written) {
        if let (Some(change), Written::Done(case, _)) = (&entry.change, written) {
            metrics::changed(&case.order, change);
        }
    }
}
