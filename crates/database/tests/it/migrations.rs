use std::time::{Duration, Instant};

use database::{Database, migrate, schema_is_current};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};
use testkit::TestDatabase;

fn migration(version: i64, sql: &str) -> Migration {
    let no_tx = sql.contains("concurrently");
    let sql = AssertSqlSafe(sql.to_owned()).into_sql_str();
    let simple = MigrationType::Simple;
    Migration::new(version, "a step".into(), simple, sql, no_tx)
}

fn migrator(steps: &[(i64, &str)]) -> &'static Migrator {
    let steps = steps.iter().map(|(version, sql)| migration(*version, sql));
    Box::leak(Box::new(Migrator::with_migrations(steps.collect())))
}

async fn tables(fresh: &TestDatabase) -> Vec<String> {
    let mut conn = fresh.db.acquire().await.unwrap();
    sqlx::query_scalar(
        "select tablename::text
         from pg_tables
         where schemaname = 'public' and tablename not like '\\_%'
         order by 1",
    )
    .fetch_all(&mut *conn)
    .await
    .unwrap()
}

#[tokio::test]
async fn several_migrators_share_one_database_and_run_once() {
    let fresh = testkit::database(&[]).await;
    let part = migrator(&[(1, "create table part ()")]);
    let service = migrator(&[(100, "create table service ()")]);
    let all = [service, part];
    assert!(!schema_is_current(&fresh.db, &all).await.unwrap());
    assert_eq!(migrate(&fresh.settings, &all).await.unwrap(), [1, 100]);
    assert!(schema_is_current(&fresh.db, &all).await.unwrap());
    assert_eq!(tables(&fresh).await, ["part", "service"]);
    assert_eq!(migrate(&fresh.settings, &all).await.unwrap(), [0; 0]);
}

#[tokio::test]
async fn an_old_binary_accepts_a_newer_schema() {
    let fresh = testkit::database(&[]).await;
    let old = migrator(&[(1, "create table one ()")]);
    let new = migrator(&[(1, "create table one ()"), (2, "create table two ()")]);
    migrate(&fresh.settings, &[new]).await.unwrap();
    assert!(schema_is_current(&fresh.db, &[old]).await.unwrap());
    assert_eq!(migrate(&fresh.settings, &[old]).await.unwrap(), [0; 0]);
}

#[tokio::test]
async fn a_newer_binary_sees_that_the_schema_is_old() {
    let fresh = testkit::database(&[]).await;
    let old = migrator(&[(1, "create table one ()")]);
    let new = migrator(&[(1, "create table one ()"), (2, "create table two ()")]);
    migrate(&fresh.settings, &[old]).await.unwrap();
    assert!(!schema_is_current(&fresh.db, &[new]).await.unwrap());
    assert_eq!(migrate(&fresh.settings, &[new]).await.unwrap(), [2]);
}

#[tokio::test]
async fn a_migration_that_was_changed_after_it_ran_is_refused() {
    let fresh = testkit::database(&[]).await;
    let before = migrator(&[(1, "create table one ()")]);
    let after = migrator(&[(1, "create table one (n int)")]);
    migrate(&fresh.settings, &[before]).await.unwrap();
    assert!(migrate(&fresh.settings, &[after]).await.is_err());
}

#[tokio::test]
async fn one_version_in_two_migrators_is_refused() {
    let fresh = testkit::database(&[]).await;
    let one = migrator(&[(1, "create table one ()")]);
    let other = migrator(&[(1, "create table other ()")]);
    let error = migrate(&fresh.settings, &[one, other]).await.unwrap_err();
    assert!(error.to_string().contains("the version 1"), "{error}");
    assert_eq!(tables(&fresh).await, [""; 0]);
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_and_can_be_mended() {
    let fresh = testkit::database(&[]).await;
    let broken = migrator(&[(1, "create table one (); select 1 / 0")]);
    let mended = migrator(&[(1, "create table one ()")]);
    let error = migrate(&fresh.settings, &[broken]).await.unwrap_err();
    assert_eq!(error.code().as_deref(), Some("22012"));
    assert_eq!(tables(&fresh).await, [""; 0]);
    assert_eq!(migrate(&fresh.settings, &[mended]).await.unwrap(), [1]);
}

/// With a lock that waits inside a statement, the index would wait for the
/// other's snapshot and the other for the lock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_that_migrate_at_once_do_not_deadlock_over_a_concurrent_index() {
    let fresh = testkit::database(&[]).await;
    let steps = migrator(&[
        (1, "create table one (n int)"),
        (2, "create index concurrently one_n on one (n)"),
    ]);
    let pods = (0..4).map(|_| {
        let settings = fresh.settings.clone();
        tokio::spawn(async move { migrate(&settings, &[steps]).await })
    });
    let mut applied = Vec::new();
    for pod in pods.collect::<Vec<_>>() {
        applied.extend(pod.await.unwrap().unwrap());
    }
    applied.sort_unstable();
    assert_eq!(applied, [1, 2]);
}

#[tokio::test]
async fn a_migration_gives_way_to_traffic_and_comes_back() {
    let mut fresh = testkit::database(&[]).await;
    fresh.settings.migration_lock_timeout_ms = 50;
    let first = migrator(&[(1, "create table one ()")]);
    let second = migrator(&[(2, "alter table one add column n int")]);
    migrate(&fresh.settings, &[first]).await.unwrap();
    let db = Database::connect(&fresh.settings, "test").await.unwrap();
    let mut reader = db.begin().await.unwrap();
    reader.execute("select * from one").await.unwrap();

    let settings = fresh.settings.clone();
    let migrating = tokio::spawn(async move { migrate(&settings, &[second]).await });
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(600) {
        let mut other = db.begin().await.unwrap();
        other.execute("select * from one").await.unwrap();
    }
    assert!(!migrating.is_finished());
    reader.commit().await.unwrap();
    assert_eq!(migrating.await.unwrap().unwrap(), [2]);
}
