//! Brings a schema up to date from the migrations of several crates, which
//! share one table of applied versions.

use std::time::{Duration, Instant};

use sqlx::migrate::{Migration, Migrator};
use sqlx::{ConnectOptions, Connection, PgConnection, PgExecutor};

use crate::{Database, Error, Result, Settings};

/// Any number will do that nobody else uses: "cartwrig" in ASCII.
const LOCK_ID: i64 = 0x6361_7274_7772_6967;
const LOCK_PATIENCE: Duration = Duration::from_secs(60);
const LOCK_POLL: Duration = Duration::from_millis(200);
const TABLE_REPEATS: u32 = 10;

/// Applies what is missing, in order of version, and returns those versions.
///
/// Versions must be unique over all `migrators`. Versions in the database that
/// no migrator knows are left alone, so that a rolled-back binary can run on a
/// newer schema.
pub async fn migrate(settings: &Settings, migrators: &[&'static Migrator]) -> Result<Vec<i64>> {
    let migrator = join(migrators)?;
    let mut conn = settings.migrating()?.connect().await?;
    lock(&mut conn).await?;
    let applied = apply_missing(&mut conn, &migrator).await;
    // The lock goes with the session, also if this fails.
    conn.close().await.ok();
    applied
}

/// Have all migrations of `migrators` been applied?
pub async fn schema_is_current(
    database: &Database,
    migrators: &[&'static Migrator],
) -> Result<bool> {
    let mut conn = database.acquire().await?;
    let applied = applied_versions(&mut *conn).await?;
    Ok(ups(migrators).all(|migration| applied.contains(&migration.version)))
}

fn ups(migrators: &[&'static Migrator]) -> impl Iterator<Item = &'static Migration> {
    let all: Vec<_> = migrators.iter().flat_map(|one| one.iter()).collect();
    all.into_iter()
        .filter(|migration| !migration.migration_type.is_down_migration())
}

fn join(migrators: &[&'static Migrator]) -> Result<Migrator> {
    let mut joined = Migrator::with_migrations(ups(migrators).cloned().collect());
    let versions: Vec<i64> = joined.iter().map(|migration| migration.version).collect();
    if let Some(pair) = versions.windows(2).find(|pair| pair[0] == pair[1]) {
        let message = format!("two migrations have the version {}", pair[0]);
        return Err(sqlx::Error::Configuration(message.into()).into());
    }
    joined.set_ignore_missing(true);
    // Its own lock waits inside a statement, whose snapshot would block a
    // `create index concurrently` of the one who holds the lock, for ever.
    joined.set_locking(false);
    Ok(joined)
}

async fn lock(conn: &mut PgConnection) -> Result<()> {
    let started = Instant::now();
    loop {
        let locked: bool = sqlx::query_scalar("select pg_try_advisory_lock($1)")
            .bind(LOCK_ID)
            .fetch_one(&mut *conn)
            .await?;
        if locked {
            return Ok(());
        }
        if started.elapsed() > LOCK_PATIENCE {
            let message = "another process has been migrating this database for too long";
            return Err(sqlx::Error::Configuration(message.into()).into());
        }
        tracing::info!("waiting for another process that migrates this database");
        tokio::time::sleep(LOCK_POLL).await;
    }
}

async fn apply_missing(conn: &mut PgConnection, migrator: &Migrator) -> Result<Vec<i64>> {
    let before = applied_versions(&mut *conn).await?;
    let missing = migrator
        .iter()
        .filter(|migration| !before.contains(&migration.version));
    let mut applied = Vec::new();
    for migration in missing {
        let (version, description) = (migration.version, &*migration.description);
        tracing::info!(
            migration.version = version,
            migration.description = description,
            "applying migration"
        );
        apply(conn, migrator, version).await?;
        applied.push(version);
    }
    // Nothing is left to apply; this compares the checksums of the old ones.
    run_to(conn, migrator, None).await?;
    tracing::info!(applied = applied.len(), "schema is current");
    Ok(applied)
}

/// Gives way to the traffic that queues behind a wait for a table's lock.
async fn apply(conn: &mut PgConnection, migrator: &Migrator, version: i64) -> Result<()> {
    for repeat in 1..=TABLE_REPEATS {
        match run_to(conn, migrator, Some(version)).await {
            Err(error) if error.is_transient() => {
                tracing::warn!(migration.version = version, attempt = repeat, %error, "migration gave way");
                tokio::time::sleep(LOCK_POLL * repeat).await;
            }
            result => return result,
        }
    }
    run_to(conn, migrator, Some(version)).await
}

/// `Migrator::run_to` is generic in a way that makes a future of it unfit for
/// `tokio::spawn`; this is what it calls.
async fn run_to(conn: &mut PgConnection, migrator: &Migrator, version: Option<i64>) -> Result<()> {
    Ok(migrator.run_direct(version, conn, false).await?)
}

async fn applied_versions<'c>(conn: impl PgExecutor<'c>) -> Result<Vec<i64>> {
    let versions = sqlx::query_scalar(
        "select version
         from _sqlx_migrations
         where success
         order by version",
    )
    .fetch_all(conn)
    .await
    .map_err(Error::from);
    match versions {
        Err(error) if error.is_undefined_table() => Ok(Vec::new()),
        versions => versions,
    }
}
