//! One seat per role and database: who holds it acts, the others stand by.

use crate::outage::Trouble;
use database::{Connection, Database};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const STAND_BY: Duration = Duration::from_secs(1);
/// Far above `statement_timeout`: whoever answers later than this is dead.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// A connection of its own, outside the pool, whose session holds an advisory
/// lock. Losing the connection loses the seat, so what is done over it is done
/// by its holder. Needs a session: not for poolers that share transactions.
pub(crate) struct Seat {
    conn: Connection,
    db: Database,
    /// Of the settings that the connection was opened by.
    version: u64,
}

impl Seat {
    /// Waits for the seat. `None`: cancelled.
    pub(crate) async fn take(
        db: &Database,
        role: &str,
        cancel: &CancellationToken,
    ) -> Result<Option<Self>, Trouble> {
        let mut seat = Self::open(db).await?;
        failpoint::reached!("outbox.seat.before_claim");
        while !seat.try_lock(role).await? {
            if cancel
                .run_until_cancelled(tokio::time::sleep(STAND_BY))
                .await
                .is_none()
            {
                seat.leave().await;
                return Ok(None);
            }
        }
        failpoint::reached!("outbox.seat.after_claim");
        Ok(Some(seat))
    }

    async fn open(db: &Database) -> Result<Self, Trouble> {
        let (db, version) = (db.clone(), db.version());
        let conn = db.acquire().await?.detach();
        let mut seat = Self { conn, db, version };
        // The seat of a machine that vanished is free after some 10 s. What is
        // written here may be lost in a crash: then it is merely done again.
        seat.answered(async |conn| {
            sqlx::query(
                "select set_config('tcp_keepalives_idle', '5', false),
                        set_config('tcp_keepalives_interval', '2', false),
                        set_config('tcp_keepalives_count', '3', false),
                        set_config('synchronous_commit', 'off', false)",
            )
            .execute(conn)
            .await
        })
        .await?;
        Ok(seat)
    }

    async fn try_lock(&mut self, role: &str) -> Result<bool, Trouble> {
        self.answered(async |conn| {
            sqlx::query_scalar("select pg_try_advisory_lock(hashtextextended($1, 0))")
                .bind(role)
                .fetch_one(conn)
                .await
        })
        .await
    }

    /// Fails when the seat is lost.
    pub(crate) async fn check(&mut self) -> Result<(), Trouble> {
        self.answered(async |conn| conn.ping().await).await
    }

    /// Runs statements over the seat's connection. Fails when the database has
    /// got another address or password since: the seat is to be taken there.
    pub(crate) async fn answered<T>(
        &mut self,
        ask: impl AsyncFnOnce(&mut Connection) -> sqlx::Result<T>,
    ) -> Result<T, Trouble> {
        if self.version != self.db.version() {
            return Err(Trouble::Outdated);
        }
        match tokio::time::timeout(ANSWERS_WITHIN, ask(&mut self.conn)).await {
            Ok(answer) => Ok(answer.map_err(database::Error::from)?),
            Err(_) => Err(Trouble::Silent),
        }
    }

    pub(crate) async fn leave(self) {
        // Closing frees the lock; when it fails, the server does the same.
        let _ = tokio::time::timeout(STAND_BY, self.conn.close()).await;
    }
}
