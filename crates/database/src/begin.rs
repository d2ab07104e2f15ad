//! Transactions that cannot be left open by a caller who goes away.

use std::ops::{Deref, DerefMut};

use tracing::Instrument;

use crate::connect::pooled;
use crate::{Connection, Database, Error, Result};

/// A transaction; dropped without [`Tx::commit`] it is rolled back.
#[derive(Debug)]
pub struct Tx {
    conn: Connection,
}

impl Database {
    /// Begins on a task of its own. With sqlx 0.9.0 a `begin` that is dropped
    /// while BEGIN is on its way gives the connection back inside an open
    /// block, and the next borrower's acknowledged writes are lost. The task
    /// always sees the answer; if nobody waits for it, it rolls back.
    ///
    /// A connection that turns out to be lost is replaced once: nothing has
    /// been done on it yet.
    pub async fn begin(&self) -> Result<Tx> {
        match self.begin_once().await {
            Err(error) if error.is_connection_lost() => self.begin_once().await,
            result => result,
        }
    }

    async fn begin_once(&self) -> Result<Tx> {
        let (pool, watch) = (self.pool.clone(), self.watch.clone());
        let begin = async move {
            let conn = pooled(&pool, &watch).await?;
            Connection::begun(conn, watch).await
        };
        // In the caller's trace, though on another task.
        let begun = tokio::spawn(begin.in_current_span());
        match begun.await.unwrap_or(Err(sqlx::Error::WorkerCrashed)) {
            Ok(conn) => Ok(Tx { conn }),
            Err(error) => Err(self.noted(error)),
        }
    }
}

impl Tx {
    /// Commits. When the answer is lost the error says
    /// [`is_outcome_unknown`](Error::is_outcome_unknown).
    pub async fn commit(self) -> Result<()> {
        self.conn.commit().await.map_err(Error::in_commit)
    }

    pub async fn rollback(self) -> Result<()> {
        Ok(self.conn.rollback().await?)
    }
}

impl Deref for Tx {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.conn
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.conn
    }
}
