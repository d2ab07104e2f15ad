//! The private Postgres of a test process, and a fresh database per test.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use database::{Database, Settings};
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};
use tokio::sync::{Mutex, OnceCell};

use crate::server::{Kind, Server, Start};

const KIND: Kind = Kind {
    script: "private-postgres",
    // At once and without a checkpoint, as a crash would. What was committed
    // is in the kernel by then, so it is lost only if the machine crashes too.
    signal: "QUIT",
    arguments: &[
        "-c",
        "fsync=off",
        "-c",
        "full_page_writes=off",
        "-c",
        "max_connections=200",
        "-c",
        "shared_buffers=64MB",
    ],
};

pub struct TestPostgres {
    server: Server,
    /// Template databases by the checksums of their migrations.
    templates: Mutex<Templates>,
}

#[derive(Default)]
struct Templates {
    made: HashMap<Vec<u8>, String>,
    databases: u64,
}

/// A database that nobody else uses, with its migrations applied.
pub struct TestDatabase {
    pub db: Database,
    /// The service's defaults, but patient: a test machine may be slow.
    pub settings: Settings,
    pub url: String,
}

/// The one server of this process, started on first use.
pub async fn postgres() -> &'static TestPostgres {
    static SHARED: OnceCell<TestPostgres> = OnceCell::const_new();
    SHARED.get_or_init(TestPostgres::start).await
}

/// A fresh database on the server of this process.
pub async fn database(migrators: &[&'static Migrator]) -> TestDatabase {
    postgres().await.database(migrators).await
}

impl TestPostgres {
    /// A server of its own, for a test that stops it; it ends when dropped.
    pub async fn start() -> TestPostgres {
        Self::start_with(&[]).await
    }

    /// `options` as on the command line of `postgres`; they win over ours.
    pub async fn start_with(options: &[String]) -> TestPostgres {
        let postgres = TestPostgres {
            server: Server::spawn(&KIND, options).await,
            templates: Mutex::default(),
        };
        postgres.wait_until_ready().await;
        postgres
    }

    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// Holds all that it writes; removed with it.
    pub fn directory(&self) -> &Path {
        &self.server.dir
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port())
    }

    /// Ends the server as a crash would; its data stay.
    pub async fn crash(&mut self) {
        self.server.stop().await;
    }

    /// `kill -9` of the postmaster alone: its sessions see that for themselves.
    pub async fn kill(&mut self) {
        self.server.kill().await;
    }

    /// Starts it again on the same port and waits for its recovery.
    pub async fn restart(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while let Start::StillInUse = self.server.start().await {
            assert!(Instant::now() < deadline, "{}", self.server.log());
            // The guard has to see that it has ended.
            self.server.stop().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.wait_until_ready().await;
    }

    pub async fn database(&self, migrators: &[&'static Migrator]) -> TestDatabase {
        let mut templates = self.templates.lock().await;
        templates.databases += 1;
        let name = format!("test_{}", templates.databases);
        let template = self.template(&mut templates, migrators).await;
        drop(templates);
        self.create(&name, &template).await;
        let url = self.url(&name);
        let settings = patient(&url);
        let db = Database::connect(&settings, "test").await;
        let db = db.expect("a pool for a fresh database");
        TestDatabase { db, settings, url }
    }

    /// Applies each set of migrations once; copying the result is faster.
    async fn template(&self, templates: &mut Templates, migrators: &[&'static Migrator]) -> String {
        let key: Vec<u8> = migrators
            .iter()
            .flat_map(|migrator| migrator.iter())
            .flat_map(|migration| migration.checksum.to_vec())
            .collect();
        if key.is_empty() {
            return "template1".to_owned();
        }
        if let Some(name) = templates.made.get(&key) {
            return name.clone();
        }
        let name = format!("template_{}", templates.made.len());
        self.create(&name, "template1").await;
        let migrated = database::migrate(&patient(&self.url(&name)), migrators).await;
        migrated.expect("the migrations apply to an empty database");
        templates.made.insert(key, name.clone());
        name
    }

    async fn create(&self, name: &str, template: &str) {
        let mut conn = self.admin().await.expect("the private Postgres answers");
        // A template's last session may take a moment to be gone.
        let deadline = Instant::now() + Duration::from_secs(10);
        let sql = format!("create database {name} template {template}");
        while let Err(error) = conn.execute(AssertSqlSafe(sql.clone())).await {
            let code = error.as_database_error().and_then(|error| error.code());
            let in_use = code.as_deref() == Some("55006");
            assert!(in_use && Instant::now() < deadline, "{sql}: {error}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        conn.close().await.ok();
    }

    async fn admin(&self) -> sqlx::Result<PgConnection> {
        PgConnection::connect(&self.url("postgres")).await
    }

    async fn wait_until_ready(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while let Err(error) = self.admin().await {
            let log = self.server.log();
            assert!(!self.server.has_ended(), "private Postgres ended:\n{log}");
            assert!(Instant::now() < deadline, "{error}\n{log}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(self.is_ours().await, "another Postgres has taken the port");
    }

    async fn is_ours(&self) -> bool {
        let mut conn = self.admin().await.expect("the private Postgres answers");
        let dir: String = sqlx::query_scalar("select current_setting('data_directory')")
            .fetch_one(&mut conn)
            .await
            .expect("the superuser may see the directory");
        self.server.owns(&dir)
    }
}

fn patient(url: &str) -> Settings {
    let mut settings = Settings::new(url);
    settings.acquire_timeout_ms = 10_000;
    settings.statement_timeout_ms = 20_000;
    settings.lock_timeout_ms = 10_000;
    settings.idle_in_transaction_timeout_ms = 30_000;
    settings
}
