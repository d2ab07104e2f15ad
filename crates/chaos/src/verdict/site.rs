//! Where the verdict looks: past all proxies and, but for the audits, past the
//! services themselves.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use load::Endpoints;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor};

use crate::workload::ProviderAccess;

pub const DATABASES: [&str; 3] = ["orders", "payments", "inventory"];

#[derive(Debug, Clone)]
pub struct Site {
    /// URLs by name: those of [`DATABASES`].
    pub databases: BTreeMap<&'static str, String>,
    pub endpoints: Endpoints,
    /// Of staff.
    pub token: String,
    pub provider: ProviderAccess,
    /// The provider's own books, `books.jsonl`.
    pub journal: PathBuf,
    pub redis: String,
}

impl Site {
    pub async fn connect(&self, database: &'static str) -> Result<PgConnection> {
        let url = self.databases.get(database);
        let url = url.with_context(|| format!("no database {database}"))?;
        let conn = PgConnection::connect(url).await;
        conn.with_context(|| format!("connecting to {database}"))
    }

    /// A connection that sees the books of one moment, and changes nothing.
    pub(super) async fn snapshot(&self, database: &'static str) -> Result<PgConnection> {
        let mut conn = self.connect(database).await?;
        conn.execute("begin isolation level repeatable read read only")
            .await?;
        Ok(conn)
    }
}
