//! The log of who did what, on a real Postgres.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panic")]

mod append_only;
mod listing;

use audit::{Entry, Filter, Outcome, Recorded};
use testkit::TestDatabase;

pub async fn database() -> TestDatabase {
    testkit::database(&[&audit::MIGRATOR]).await
}

pub fn entry<'a>(principal: &'a str, key: &'a str) -> Entry<'a> {
    Entry {
        principal,
        client: None,
        method: "cartwright.order.v1.OrderService/CancelOrder",
        key,
        resource: None,
        outcome: Outcome::Done,
        trace_id: None,
    }
}

pub async fn record(test: &TestDatabase, entries: &[Entry<'_>]) {
    let mut conn = test.db.acquire().await.unwrap();
    audit::record(&mut conn, entries).await.unwrap();
}

pub async fn list(
    test: &TestDatabase,
    filter: &Filter,
    before: Option<i64>,
    limit: i64,
) -> Vec<Recorded> {
    let mut conn = test.db.acquire().await.unwrap();
    audit::list(&mut conn, filter, before, limit).await.unwrap()
}
