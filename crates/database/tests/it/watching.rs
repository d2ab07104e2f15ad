//! What is seen of statements: spans, and how long they took.

use std::time::Duration;

use database::Database;
use futures::TryStreamExt;
use opentelemetry::trace::{SpanKind, Status};
use sqlx::Executor;
use testkit::TestDatabase;
use testkit::metrics::counted;
use tracing::{Instrument, info_span};

use crate::kept_spans::{Spans, attribute};
use crate::rows::{insert, insert_alone, numbers};

async fn database_of(fresh: &TestDatabase) -> String {
    let mut conn = fresh.db.acquire().await.unwrap();
    let name = sqlx::query_scalar("select current_database()");
    name.fetch_one(&mut *conn).await.unwrap()
}

fn times(database: &str, operation: &str, labels: &[(&str, &str)]) -> f64 {
    let own = [("db_namespace", database), ("db_operation_name", operation)];
    let labels: Vec<_> = own.iter().chain(labels).copied().collect();
    counted("db_query_duration_seconds_count", &labels)
}

#[tokio::test]
async fn each_statement_of_a_transaction_is_a_client_span_under_the_callers() {
    let fresh = numbers().await;
    let database = database_of(&fresh).await;
    let spans = Spans::keep(true);
    async {
        let mut tx = fresh.db.begin().await.unwrap();
        insert(&mut tx, 1).await.unwrap();
        tx.commit().await.unwrap();
        let tx = fresh.db.begin().await.unwrap();
        tx.rollback().await.unwrap();
    }
    .instrument(info_span!("caller"))
    .await;
    let caller = spans.one("caller");
    assert_eq!(
        spans.under(caller.span_context.span_id()),
        ["BEGIN", "INSERT numbers", "COMMIT", "BEGIN", "ROLLBACK"]
    );
    let insert = spans.one("INSERT numbers");
    assert_eq!(insert.span_kind, SpanKind::Client);
    assert_eq!(insert.status, Status::Unset);
    assert!(insert.end_time > insert.start_time);
    for (name, value) in [
        ("db.system.name", Some("postgresql")),
        ("db.namespace", Some(database.as_str())),
        ("db.operation.name", Some("INSERT")),
        ("db.collection.name", Some("numbers")),
        ("db.response.returned_rows", Some("1")),
        ("db.response.status_code", None),
        ("error.type", None),
    ] {
        assert_eq!(attribute(&insert, name).as_deref(), value, "{name}");
    }
    let commit = spans.one("COMMIT");
    assert_eq!(attribute(&commit, "db.collection.name"), None);
}

#[tokio::test]
async fn rows_are_counted_however_they_are_asked_for() {
    let fresh = numbers().await;
    for n in 1..=3 {
        insert_alone(&fresh.db, n).await.unwrap();
    }
    let spans = Spans::keep(true);
    async {
        let mut conn = fresh.db.acquire().await.unwrap();
        let all = sqlx::query("select n from numbers").fetch_all(&mut *conn);
        assert_eq!(all.await.unwrap().len(), 3);
        let sum = sqlx::query_scalar::<_, i64>("select 1::bigint from numbers limit 1");
        assert_eq!(sum.fetch_one(&mut *conn).await.unwrap(), 1);
        let mut stream = conn.fetch("select n from numbers where n > 1");
        while stream.try_next().await.unwrap().is_some() {}
        drop(stream);
        conn.execute("delete from numbers").await.unwrap();
    }
    .instrument(info_span!("caller"))
    .await;
    let rows = |span| attribute(&span, "db.response.returned_rows").unwrap();
    let statements = spans
        .ended()
        .into_iter()
        .filter(|span| span.name != "caller");
    assert_eq!(
        statements.map(rows).collect::<Vec<_>>(),
        ["3", "1", "2", "3"]
    );
}

#[tokio::test]
async fn a_statement_that_fails_tells_its_code_and_not_its_values() {
    let fresh = numbers().await;
    let database = database_of(&fresh).await;
    telemetry::metrics::install();
    let spans = Spans::keep(true);
    async {
        insert_alone(&fresh.db, 4_711).await.unwrap();
        insert_alone(&fresh.db, 4_711).await.unwrap_err();
        let mut tx = fresh.db.begin().await.unwrap();
        let optional = sqlx::query("select 1 / 0 from numbers").fetch_optional(&mut *tx);
        optional.await.unwrap_err();
    }
    .instrument(info_span!("caller"))
    .await;
    let failed: Vec<_> = spans
        .ended()
        .into_iter()
        .filter(|span| attribute(span, "error.type").is_some())
        .collect();
    let codes = ["23505", "22012"];
    assert_eq!(failed.len(), codes.len());
    for (span, code) in failed.iter().zip(codes) {
        assert_eq!(attribute(span, "error.type").unwrap(), code);
        assert_eq!(attribute(span, "db.response.status_code").unwrap(), code);
        assert_eq!(span.status, Status::error(""));
        assert!(!format!("{span:?}").contains("4711"));
    }
    let duplicate = [("error_type", "23505"), ("db_collection_name", "numbers")];
    assert_eq!(times(&database, "INSERT", &duplicate), 1.0);
    assert_eq!(times(&database, "INSERT", &[]), 2.0);
}

#[tokio::test]
async fn a_statement_whose_caller_goes_away_ends_then() {
    let fresh = numbers().await;
    let database = database_of(&fresh).await;
    telemetry::metrics::install();
    let spans = Spans::keep(true);
    let mut conn = fresh.db.acquire().await.unwrap();
    async {
        let sleep = conn.execute("select pg_sleep(60)");
        let patience = Duration::from_millis(50);
        tokio::time::timeout(patience, sleep).await.unwrap_err();
    }
    .instrument(info_span!("caller"))
    .await;
    let sleep = spans.one("SELECT");
    assert_eq!(attribute(&sleep, "error.type").unwrap(), "cancelled");
    let took = sleep.end_time.duration_since(sleep.start_time).unwrap();
    assert!((50..30_000).contains(&took.as_millis()), "{took:?}");
    let cancelled = [("error_type", "cancelled")];
    assert_eq!(times(&database, "SELECT", &cancelled), 1.0);
    // Closing would wait for the server.
    drop(conn.detach());
}

/// The begin goes on, on its own task; it still belongs to the caller's trace.
#[tokio::test]
async fn a_begin_whose_caller_goes_away_is_in_the_callers_trace() {
    let fresh = numbers().await;
    let spans = Spans::keep(true);
    let caller = info_span!("caller");
    {
        let mut begin = std::pin::pin!(fresh.db.begin().instrument(caller.clone()));
        assert!(futures::poll!(&mut begin).is_pending());
    }
    drop(caller);
    while !spans.names().contains(&"caller".to_owned()) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let caller = spans.one("caller");
    assert_eq!(spans.under(caller.span_context.span_id()), ["BEGIN"]);
    insert_alone(&fresh.db, 1).await.unwrap();
}

#[tokio::test]
async fn what_is_not_sampled_is_counted_and_makes_no_span() {
    let fresh = numbers().await;
    let database = database_of(&fresh).await;
    telemetry::metrics::install();
    let work = async |db: &Database| {
        let mut tx = db.begin().await.unwrap();
        insert(&mut tx, 1).await.unwrap();
        tx.rollback().await.unwrap();
    };
    let spans = Spans::keep(false);
    work(&fresh.db).instrument(info_span!("caller")).await;
    assert_eq!(spans.names(), [""; 0]);
    drop(spans);
    // Nor is there one where nobody has a span: it would be alone in its trace.
    let spans = Spans::keep(true);
    work(&fresh.db).await;
    assert_eq!(spans.names(), [""; 0]);
    for operation in ["BEGIN", "INSERT", "ROLLBACK"] {
        assert_eq!(times(&database, operation, &[]), 2.0, "{operation}");
    }
}

#[tokio::test]
async fn a_connection_that_left_the_pool_is_watched_too() {
    let fresh = numbers().await;
    let spans = Spans::keep(true);
    async {
        let mut own = fresh.db.acquire().await.unwrap().detach();
        own.execute("update numbers set n = 1").await.unwrap();
        own.ping().await.unwrap();
        own.close().await.unwrap();
    }
    .instrument(info_span!("caller"))
    .await;
    let caller = spans.one("caller").span_context.span_id();
    assert_eq!(spans.under(caller), ["UPDATE numbers"]);
}
