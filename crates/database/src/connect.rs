//! The pool: how connections are opened, checked and given back.

use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::{PoolConnection, PoolConnectionMetadata};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{Connection, Executor, PgConnection, Postgres};

use crate::access::Access;
use crate::failover::LastSign;
use crate::{Result, Settings};

/// A connection that was idle for longer is asked whether it still lives.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// A handle on one database; clones share the pool.
#[derive(Clone)]
pub struct Database {
    pub(crate) pool: PgPool,
    pub(crate) last_sign: LastSign,
    pub(crate) access: Arc<Access>,
}

impl Database {
    /// Checks the settings and makes the pool. Connections are opened when
    /// they are needed, so this succeeds while the server is still down.
    pub async fn connect(settings: &Settings, application_name: &str) -> Result<Database> {
        let options = settings.pooled(application_name)?;
        let last_sign = LastSign::default();
        let signs = last_sign.clone();
        let pool = PgPoolOptions::new()
            .max_connections(settings.max_connections)
            .acquire_timeout(Duration::from_millis(settings.acquire_timeout_ms))
            .test_before_acquire(false)
            .before_acquire(move |conn, meta| {
                let trusted = signs.trusts(meta.age);
                Box::pin(async move { Ok(trusted && still_lives(conn, meta).await) })
            })
            .after_release(|conn, _| Box::pin(end_open_block(conn)))
            .connect_lazy_with(options);
        let access = Arc::new(Access::new(settings, application_name));
        Ok(Database {
            pool,
            last_sign,
            access,
        })
    }

    /// A connection for reads outside a transaction. Do not begin one on it:
    /// that is what [`Database::begin`] is for.
    pub async fn acquire(&self) -> Result<PoolConnection<Postgres>> {
        let acquired = self.pool.acquire().await;
        acquired.map_err(|error| self.noted(error))
    }

    pub async fn ping(&self) -> Result<()> {
        let mut conn = self.acquire().await?;
        let answer = conn.ping().await;
        answer.map_err(|error| self.noted(error))
    }

    /// Waits until every connection is given back, then closes them.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// For metrics only.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(crate) fn noted(&self, error: sqlx::Error) -> crate::Error {
        let error = crate::Error::from(error);
        self.last_sign.note(&error);
        error
    }
}

async fn still_lives(conn: &mut PgConnection, meta: PoolConnectionMetadata) -> bool {
    meta.idle_for < TRUSTED_IDLE || conn.ping().await.is_ok()
}

/// Leaves no transaction open on a connection that goes back to the pool:
/// inside one, the next borrower's writes would be acknowledged and then lost.
/// sqlx does not know of a block whose BEGIN it sent for a caller that went
/// away, so the server is asked to open and end one, which ends any other.
/// (A bare ROLLBACK would put a warning into the server's log each time.)
async fn end_open_block(conn: &mut PgConnection) -> sqlx::Result<bool> {
    match conn.execute("begin; rollback").await {
        Ok(_) => Ok(true),
        // The block had failed, and a failed one takes nothing but its end.
        Err(sqlx::Error::Database(_)) => conn.execute("rollback").await.map(|_| true),
        Err(error) => Err(error),
    }
}
