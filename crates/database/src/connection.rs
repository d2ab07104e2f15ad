//! A connection whose statements are watched.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, ready};

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, Stream};
use sqlx::error::BoxDynError;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{
    Connection as _, Describe, Either, Execute, Executor, PgConnection, Postgres, SqlStr,
    Transaction,
};

use crate::watch::{Running, Watch};

/// What statements are run on, in a transaction or not. Each is a span of its
/// own, `sql`, under the current one, and is counted in `db.query.duration`.
///
/// For that it stands before sqlx's own connection, which it does not give away.
pub struct Connection {
    held: Held,
    watch: Arc<Watch>,
}

enum Held {
    Pooled(PoolConnection<Postgres>),
    Begun(Transaction<'static, Postgres>),
    Own(PgConnection),
}

/// A connection of the pool, which goes back to it when this is dropped.
#[derive(Debug)]
pub struct Pooled(Connection);

impl Pooled {
    pub(crate) fn new(conn: PoolConnection<Postgres>, watch: Arc<Watch>) -> Self {
        let held = Held::Pooled(conn);
        Self(Connection { held, watch })
    }

    /// Takes it out of the pool for good: for what lives in the session.
    pub fn detach(self) -> Connection {
        let Connection { held, watch } = self.0;
        let held = match held {
            Held::Pooled(conn) => Held::Own(conn.detach()),
            held => held,
        };
        Connection { held, watch }
    }
}

impl Deref for Pooled {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

impl Connection {
    /// Not to be dropped before it ends: see [`crate::Database::begin`].
    pub(crate) async fn begun(
        conn: PoolConnection<Postgres>,
        watch: Arc<Watch>,
    ) -> sqlx::Result<Self> {
        if failpoint::planted!("cancelled-begin") && is_unlucky() {
            return Ok(Self::begun_by_another(conn, watch));
        }
        let begin = watch.begin("BEGIN");
        #[expect(clippy::disallowed_methods, reason = "the one safe place to begin")]
        let begun = Transaction::begin(conn, None);
        let held = Held::Begun(begin.finish(begun, |_| 0).await?);
        Ok(Self { held, watch })
    }

    /// A connection on which somebody else's BEGIN is still on its way: all
    /// that is written in that block is said to be committed, and is lost with
    /// it. Only a planted bug gives one out.
    fn begun_by_another(mut conn: PoolConnection<Postgres>, watch: Arc<Watch>) -> Self {
        let cancelled = conn.begin().now_or_never();
        drop(cancelled);
        let held = Held::Pooled(conn);
        Self { held, watch }
    }

    /// Where nothing was begun there is nothing to do.
    pub(crate) async fn commit(self) -> sqlx::Result<()> {
        let Held::Begun(tx) = self.held else {
            return Ok(());
        };
        let commit = self.watch.begin("COMMIT");
        commit.finish(tx.commit(), |()| 0).await
    }

    pub(crate) async fn rollback(self) -> sqlx::Result<()> {
        let Held::Begun(tx) = self.held else {
            return Ok(());
        };
        let rollback = self.watch.begin("ROLLBACK");
        rollback.finish(tx.rollback(), |()| 0).await
    }

    /// Asks the server for a sign of life.
    pub async fn ping(&mut self) -> sqlx::Result<()> {
        self.inner().ping().await
    }

    /// Tells the server that this was all. One of the pool goes back to it.
    pub async fn close(self) -> sqlx::Result<()> {
        match self.held {
            Held::Own(conn) => conn.close().await,
            Held::Pooled(_) | Held::Begun(_) => Ok(()),
        }
    }

    fn inner(&mut self) -> &mut PgConnection {
        match &mut self.held {
            Held::Pooled(conn) => conn,
            Held::Begun(tx) => tx,
            Held::Own(conn) => conn,
        }
    }
}

/// Every thirtieth time.
fn is_unlucky() -> bool {
    static BEGUN: AtomicU32 = AtomicU32::new(1);
    BEGUN.fetch_add(1, Ordering::Relaxed).is_multiple_of(30)
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

/// All other ways to run a statement lead to these.
impl<'c> Executor<'c> for &'c mut Connection {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, sqlx::Result<Either<PgQueryResult, PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let query = Query::of(query);
        let running = self.watch.begin(query.text.as_str());
        let steps = self.inner().fetch_many(query);
        Box::pin(Steps { steps, running })
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let query = Query::of(query);
        let running = self.watch.begin(query.text.as_str());
        let row = self.inner().fetch_optional(query);
        Box::pin(running.finish(row, |row| u64::from(row.is_some())))
    }

    /// Runs nothing, as the next does not: neither is a statement.
    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, sqlx::Result<PgStatement>>
    where
        'c: 'e,
    {
        self.inner().prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, sqlx::Result<Describe<Postgres>>>
    where
        'c: 'e,
    {
        self.inner().describe(sql)
    }
}

/// A query whose text can be read before it is sent.
struct Query {
    text: SqlStr,
    arguments: Option<Result<Option<PgArguments>, BoxDynError>>,
    statement: Option<PgStatement>,
    is_persistent: bool,
}

impl Query {
    fn of<'q>(mut query: impl Execute<'q, Postgres>) -> Self {
        Self {
            arguments: Some(query.take_arguments()),
            statement: query.statement().cloned(),
            is_persistent: query.persistent(),
            text: query.sql(),
        }
    }
}

impl Execute<'_, Postgres> for Query {
    fn sql(self) -> SqlStr {
        self.text
    }

    fn statement(&self) -> Option<&PgStatement> {
        self.statement.as_ref()
    }

    fn take_arguments(&mut self) -> Result<Option<PgArguments>, BoxDynError> {
        self.arguments.take().unwrap_or(Ok(None))
    }

    fn persistent(&self) -> bool {
        self.is_persistent
    }
}

/// The results and rows of a statement as they come.
struct Steps<'e> {
    steps: BoxStream<'e, sqlx::Result<Either<PgQueryResult, PgRow>>>,
    running: Running,
}

impl Stream for Steps<'_> {
    type Item = sqlx::Result<Either<PgQueryResult, PgRow>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { steps, running } = self.get_mut();
        let entered = running.span().enter();
        let step = ready!(steps.as_mut().poll_next(cx));
        drop(entered);
        match &step {
            Some(Ok(Either::Left(done))) => running.has_rows(done.rows_affected()),
            Some(Ok(Either::Right(_))) => running.has_rows(running.rows() + 1),
            Some(Err(error)) => running.end(Some(error)),
            None => running.end(None),
        }
        Poll::Ready(step)
    }
}
