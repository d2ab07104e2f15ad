//! What a living process has begun stays its own, however long the provider
//! takes: the lease of its key is renewed. That of a process that died runs out
//! soon, and the next call with the key goes on.

use std::convert::Infallible;
use std::time::Duration;

use batch::Gatherer;
use database::Database;
use uuid::Uuid;

use super::settle::Close;
use super::{App, BATCH_MAX};

/// Callers wait for so long, at most, after a crash.
pub(super) const LEASE: Duration = Duration::from_secs(3);
const RENEW_AFTER: Duration = Duration::from_secs(1);

pub(super) type Renewals = Gatherer<Close, ()>;

pub(super) fn gather_renewals(db: Database) -> Renewals {
    Gatherer::spawn("renew", BATCH_MAX, move |closes: Vec<Close>| {
        let db = db.clone();
        async move {
            if let Err(error) = renew(&db, &closes).await {
                tracing::warn!(%error, "cannot renew the leases of running calls");
            }
            vec![(); closes.len()]
        }
    })
}

async fn renew(db: &Database, closes: &[Close]) -> database::Result<()> {
    let work = closes.iter();
    let work: Vec<(&'static str, Uuid)> = work
        .map(|close| (close.method(), close.resource()))
        .collect();
    let mut conn = db.acquire().await?;
    idempotency::extend(&mut conn, &work, LEASE).await
}

impl App {
    /// Does `work`, which ends with closing the key or giving it up. It is never cut
    /// short: the other side does not end.
    pub(super) async fn at_work<T>(&self, close: Close, work: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            done = work => done,
            never = self.keep_renewing(close) => match never {},
        }
    }

    async fn keep_renewing(&self, close: Close) -> Infallible {
        loop {
            tokio::time::sleep(RENEW_AFTER).await;
            if let Err(error) = self.renewals.call(close).await {
                tracing::debug!(%error, "a lease was not renewed");
            }
        }
    }
}
