//! Postgres and Redis, which may be killed and started again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use testkit::{TestPostgres, TestRedis};
use tokio::sync::Mutex;

use super::{INVENTORY, ORDER, PAYMENT};

/// As a shop that means it: what is acknowledged is on the disk.
const DURABLE: [&str; 4] = ["-c", "fsync=on", "-c", "full_page_writes=on"];

/// By the service that owns it.
const DATABASES: [(&str, &str); 3] = [
    (ORDER, "orders"),
    (PAYMENT, "payments"),
    (INVENTORY, "inventory"),
];

pub(super) fn database_of(service: &str) -> &'static str {
    let found = DATABASES.iter().find(|(owner, _)| *owner == service);
    found
        .unwrap_or_else(|| panic!("{service} has no database"))
        .1
}

pub struct Postgres {
    server: Mutex<TestPostgres>,
    port: u16,
    directory: PathBuf,
}

impl Postgres {
    pub(super) async fn start(options: &[String]) -> Result<Self> {
        let durable = DURABLE.iter().map(|&option| option.to_owned());
        let options: Vec<String> = durable.chain(options.iter().cloned()).collect();
        let server = TestPostgres::start_with(&options).await;
        let postgres = Self {
            port: server.port(),
            directory: server.directory().to_owned(),
            server: Mutex::new(server),
        };
        let mut conn = PgConnection::connect(&postgres.url("postgres")).await?;
        for (_, database) in DATABASES {
            let sql = format!("create database {database}");
            conn.execute(AssertSqlSafe(sql)).await.context(database)?;
        }
        conn.close().await?;
        Ok(postgres)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Past all proxies.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    pub(super) fn databases(&self) -> BTreeMap<&'static str, String> {
        let urls = DATABASES.map(|(_, database)| (database, self.url(database)));
        urls.into()
    }

    /// The data directory: `PGDATA`.
    pub fn cluster(&self) -> PathBuf {
        self.directory.join("data/cluster")
    }

    /// Holds the cluster and the server's `log`; removed with it.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// `kill -9` of the postmaster.
    pub async fn kill(&self) {
        self.server.lock().await.kill().await;
    }

    /// An immediate stop, without a checkpoint.
    pub async fn stop(&self) {
        self.server.lock().await.crash().await;
    }

    /// Starts it on the same port and data, and waits for its recovery.
    pub async fn start_again(&self) {
        self.server.lock().await.restart().await;
    }
}

pub struct Redis {
    server: Mutex<TestRedis>,
    port: u16,
    url: String,
}

impl Redis {
    pub(super) async fn start() -> Self {
        let server = testkit::redis().await;
        Self {
            port: server.port,
            url: server.url.clone(),
            server: Mutex::new(server),
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Past all proxies.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub async fn kill(&self) {
        self.server.lock().await.stop().await;
    }

    /// On the same port and with the same data.
    pub async fn start_again(&self) {
        self.server.lock().await.start().await;
    }

    /// Loses everything that is in it.
    pub async fn flush(&self) -> Result<()> {
        let mut conn = self.server.lock().await.connect().await;
        let flushed = redis::cmd("FLUSHALL").query_async::<()>(&mut conn).await;
        flushed.context("FLUSHALL")
    }
}
