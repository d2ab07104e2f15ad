//! The pool: how connections are opened, checked and given back.

use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::{PoolConnection, PoolConnectionMetadata};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{Connection, Executor, PgConnection, Postgres};

use crate::access::Access;
use crate::connection::Pooled;
use crate::failover::LastSign;
use crate::metrics::Wait;
use crate::watch::Watch;
use crate::{Result, Settings, pools};

/// A connection that was idle for longer is asked whether it still lives.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// A handle on one database; clones share the pool.
#[derive(Clone)]
pub struct Database {
    pub(crate) pool: Arc<PgPool>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) last_sign: LastSign,
    pub(crate) access: Arc<Access>,
}

impl Database {
    /// Checks the settings and makes the pool. Connections are opened when
    /// they are needed, so this succeeds while the server is still down.
    pub async fn connect(settings: &Settings, application_name: &str) -> Result<Database> {
        let options = settings.pooled(application_name)?;
        let watch = Watch::new(options.get_database().unwrap_or(options.get_username()));
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
        let pool = Arc::new(pool);
        pools::tell_of(&pool, &watch);
        let access = Arc::new(Access::new(settings, application_name));
        Ok(Database {
            pool,
            watch,
            last_sign,
            access,
        })
    }

    /// A connection for reads outside a transaction. Do not begin one on it:
    /// that is what [`Database::begin`] is for.
    pub async fn acquire(&self) -> Result<Pooled> {
        match pooled(&self.pool, &self.watch).await {
            Ok(conn) => Ok(Pooled::new(conn, self.watch.clone())),
            Err(error) => Err(self.noted(error)),
        }
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

    pub(crate) fn noted(&self, error: sqlx::Error) -> crate::Error {
        let error = crate::Error::from(error);
        self.last_sign.note(&error);
        error
    }
}

/// Waits for a connection, and tells for how long.
pub(crate) async fn pooled(pool: &PgPool, watch: &Watch) -> sqlx::Result<PoolConnection<Postgres>> {
    let wait = Wait::begin(watch.namespace());
    let acquired = pool.acquire().await;
    if let Err(sqlx::Error::PoolTimedOut) = acquired {
        wait.timed_out();
    }
    acquired
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
