//! Transactions that cannot be left open by a caller who goes away.

use std::ops::{Deref, DerefMut};

use sqlx::{PgConnection, Postgres, Transaction};

use crate::{Database, Error, Result};

/// A transaction; dropped without [`Tx::commit`] it is rolled back.
#[derive(Debug)]
pub struct Tx {
    inner: Transaction<'static, Postgres>,
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
        let pool = self.pool.clone();
        let begun = tokio::spawn(async move {
            #[expect(clippy::disallowed_methods, reason = "the one safe place to begin")]
            pool.begin().await
        });
        match begun.await.unwrap_or(Err(sqlx::Error::WorkerCrashed)) {
            Ok(inner) => Ok(Tx { inner }),
            Err(error) => Err(self.noted(error)),
        }
    }
}

impl Tx {
    /// Commits. When the answer is lost the error says
    /// [`is_outcome_unknown`](Error::is_outcome_unknown).
    pub async fn commit(self) -> Result<()> {
        self.inner.commit().await.map_err(Error::in_commit)
    }

    pub async fn rollback(self) -> Result<()> {
        Ok(self.inner.rollback().await?)
    }
}

impl Deref for Tx {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.inner
    }
}
