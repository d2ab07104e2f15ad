//! Postgres as it is run where data matter: its log is archived, a base backup
//! is taken, and a cluster that is lost comes back as it was at a point.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, NaiveDateTime, Utc};
use e2e::checkout;
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use tokio::process::Command;

use crate::shop::Postgres;

/// The name of the restore point.
pub const POINT: &str = "drill";
/// What was committed longer ago is in the archive.
const ARCHIVE_TIMEOUT_S: u32 = 5;
const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(50);

/// Where backups are, away from the cluster.
pub struct Backups {
    directory: TempDir,
    programs: PathBuf,
}

impl Backups {
    pub async fn new() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("drill-").tempdir()?;
        // The server runs as a user of its own.
        open(directory.path(), 0o755)?;
        let archive = directory.path().join("archive");
        fs::create_dir(&archive)?;
        open(&archive, 0o777)?;
        let mut command = Command::new(checkout().join("scripts/private-postgres"));
        let programs = run(command.arg("--bin")).await?;
        Ok(Self {
            programs: PathBuf::from(programs.trim()),
            directory,
        })
    }

    fn archive(&self) -> PathBuf {
        self.directory.path().join("archive")
    }

    fn base(&self) -> PathBuf {
        self.directory.path().join("base")
    }

    /// Options of a server whose log is archived, piece by piece.
    pub fn options(&self) -> Vec<String> {
        let archive = self.archive();
        let archive = archive.display();
        let options = [
            "wal_level=replica".to_owned(),
            "archive_mode=on".to_owned(),
            format!("archive_timeout={ARCHIVE_TIMEOUT_S}"),
            format!(
                "archive_command=test ! -f {archive}/%f && cp %p {archive}/.%f.new \
                 && sync {archive}/.%f.new && mv {archive}/.%f.new {archive}/%f"
            ),
            format!("restore_command=cp {archive}/%f %p"),
            format!("recovery_target_name={POINT}"),
            "recovery_target_action=promote".to_owned(),
        ];
        options
            .into_iter()
            .flat_map(|option| ["-c".to_owned(), option])
            .collect()
    }

    /// Takes a base backup of a server that works, and verifies it.
    pub async fn take(&self, postgres: &Postgres) -> Result<Duration> {
        let began = Instant::now();
        let base = self.base();
        let mut backup = Command::new(self.programs.join("pg_basebackup"));
        backup
            .args(["--host=127.0.0.1", "--username=postgres", "--no-password"])
            .arg(format!("--port={}", postgres.port()))
            .arg(format!("--pgdata={}", base.display()))
            .args(["--checkpoint=fast", "--wal-method=stream"]);
        run(&mut backup).await?;
        run(Command::new(self.programs.join("pg_verifybackup")).arg(&base)).await?;
        Ok(began.elapsed())
    }

    /// Loses the cluster: the server is killed, its data are removed.
    pub async fn lose(postgres: &Postgres) -> Result<()> {
        postgres.kill().await;
        let (cluster, deadline) = (postgres.cluster(), Instant::now() + PATIENCE);
        // Its sessions may write for a moment longer.
        while cluster.exists() {
            let removed = fs::remove_dir_all(&cluster);
            ensure!(Instant::now() < deadline, "the cluster: {removed:?}");
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// Puts the base backup in the place of the lost cluster and lets the server
    /// replay the archive up to the point.
    pub async fn restore(&self, postgres: &Postgres) -> Result<()> {
        let cluster = postgres.cluster();
        ensure!(!cluster.exists(), "the cluster is still there");
        let base = self.base();
        run(Command::new("cp").arg("--archive").arg(&base).arg(&cluster)).await?;
        open(&cluster, 0o700)?;
        fs::write(cluster.join("recovery.signal"), "")?;
        postgres.start_again().await;
        let deadline = Instant::now() + PATIENCE;
        while in_recovery(postgres).await? {
            ensure!(Instant::now() < deadline, "the restore does not end");
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// When the last transaction was committed that is in the archive: what came
    /// later would be lost even if everything were restored.
    pub async fn last_archived(&self) -> Result<DateTime<Utc>> {
        let mut segments: Vec<PathBuf> = fs::read_dir(self.archive())?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<_>>()?;
        // Names of segments are 24 digits; others are of backups.
        segments.retain(|path| path.file_name().is_some_and(|name| name.len() == 24));
        segments.sort();
        for segment in segments.iter().rev() {
            let mut dump = Command::new(self.programs.join("pg_waldump"));
            dump.arg("--rmgr=Transaction").arg(segment);
            // The end of a segment is the beginning of a record: no failure.
            let output = dump.env("TZ", "UTC").output().await?;
            let text = String::from_utf8_lossy(&output.stdout);
            if let Some(time) = text.lines().rev().find_map(commit_time) {
                return Ok(time);
            }
        }
        bail!("no commit is in the archive")
    }
}

/// Notes the point, and sees to it that it is in the archive. Gives when that
/// began: what was acknowledged before is before the point.
pub async fn note_point(postgres: &Postgres) -> Result<DateTime<Utc>> {
    let before = Utc::now();
    let mut conn = PgConnection::connect(&postgres.url("postgres")).await?;
    sqlx::query("select pg_create_restore_point($1)")
        .bind(POINT)
        .execute(&mut conn)
        .await?;
    sqlx::query("select pg_switch_wal()")
        .execute(&mut conn)
        .await?;
    Ok(before)
}

async fn in_recovery(postgres: &Postgres) -> Result<bool> {
    let mut conn = PgConnection::connect(&postgres.url("postgres")).await?;
    let recovers = sqlx::query_scalar("select pg_is_in_recovery()");
    Ok(recovers.fetch_one(&mut conn).await?)
}

/// Of a line of `pg_waldump`: `… desc: COMMIT 2026-11-22 01:30:00.123456 UTC; …`
fn commit_time(line: &str) -> Option<DateTime<Utc>> {
    let (_, rest) = line.split_once("desc: COMMIT ")?;
    let (time, _) = rest.split_once(" UTC")?;
    let time = NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M:%S%.f").ok()?;
    Some(time.and_utc())
}

fn open(path: &Path, mode: u32) -> Result<()> {
    let mode = fs::Permissions::from_mode(mode);
    fs::set_permissions(path, mode).with_context(|| path.display().to_string())
}

/// Its output.
pub async fn run(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().await;
    let command = command.as_std();
    // Not what is in its environment: there may be a token.
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    let words = words.join(" ");
    let output = output.with_context(|| words.clone())?;
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    ensure!(
        output.status.success(),
        "{words}: {}\n{out}{err}",
        output.status
    );
    Ok(out.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_commit_is_read_from_the_log() {
        let line = "rmgr: Transaction len (rec/tot):     34/    34, tx:        735, lsn: \
                    0/01553A70, prev 0/01553A38, desc: COMMIT 2026-11-22 01:30:00.123456 UTC";
        let time = commit_time(line).unwrap();
        assert_eq!(time.to_rfc3339(), "2026-11-22T01:30:00.123456+00:00");
        assert!(commit_time("desc: ABORT 2026-11-22 01:30:00.123456 UTC").is_none());
    }
}
