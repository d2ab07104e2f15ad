//! The buckets in Redis.
//!
//! One task keeps the connection; calls use it or do without. After a failure
//! nobody asks Redis until that task has found it well again, so a dead or
//! hanging Redis costs those calls that were under way one answer's time, and
//! later ones nothing.

use std::{
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use redis::{AsyncConnectionConfig, RedisError, RedisResult, Script, aio::MultiplexedConnection};
use redis_connection::{Connection, Redis};
use tokio::{sync::Notify, time::sleep};
use tokio_util::task::AbortOnDropHandle;
use tracing::{debug, info, warn};

use crate::{
    Exceeded,
    bucket::{Take, UNIT},
};

const CONNECTS_WITHIN: Duration = Duration::from_millis(200);
const ANSWERS_WITHIN: Duration = Duration::from_millis(100);
/// Between a failure and the next try, and between looks at the settings.
const PAUSE: Duration = Duration::from_secs(1);
const PROBE: &str = "cartwright:limit:probe";

static TAKE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("take.lua")));

pub(crate) struct Shared {
    link: Arc<Link>,
    _keeper: AbortOnDropHandle<()>,
}

struct Link {
    redis: Redis,
    state: Mutex<State>,
    broken: Notify,
}

enum State {
    Up(Arc<Connection>),
    /// With what has just gone wrong, until the keeper has told.
    Down(Option<RedisError>),
}

impl Shared {
    /// Needs the runtime. Connects on its own time.
    pub(crate) fn new(redis: Redis) -> Self {
        let link = Arc::new(Link {
            redis,
            state: Mutex::new(State::Down(None)),
            broken: Notify::new(),
        });
        let keeper = AbortOnDropHandle::new(tokio::spawn(keep(link.clone())));
        Self {
            link,
            _keeper: keeper,
        }
    }

    /// `None`: Redis cannot say.
    pub(crate) async fn take(&self, takes: &[Take]) -> Option<Result<(), Exceeded>> {
        let connection = self.link.connection()?;
        match take(&connection, takes).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.link.failed(&connection, error);
                None
            }
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.link.connection().is_some()
    }
}

impl Link {
    fn connection(&self) -> Option<Arc<Connection>> {
        match &*self.state.lock() {
            State::Up(connection) => Some(connection.clone()),
            State::Down(_) => None,
        }
    }

    /// The first of those that fail together ends the connection.
    fn failed(&self, connection: &Arc<Connection>, error: RedisError) {
        let mut state = self.state.lock();
        if matches!(&*state, State::Up(current) if Arc::ptr_eq(current, connection)) {
            *state = State::Down(Some(error));
            self.broken.notify_one();
        }
    }

    fn is_outdated(&self) -> bool {
        self.connection()
            .is_some_and(|connection| self.redis.has_outdated(&connection))
    }

    /// Opens a connection and does on it what calls will do, writing included:
    /// a replica or a user without rights would only fail them.
    async fn connect(&self) -> RedisResult<Connection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECTS_WITHIN))
            .set_response_timeout(Some(ANSWERS_WITHIN));
        let connection = self.redis.connect(&config).await?;
        let mut probe = TAKE.key(PROBE);
        probe.arg(1_000).arg(1_000 * UNIT).arg(UNIT);
        let mut conn: MultiplexedConnection = (*connection).clone();
        let _: Vec<u64> = probe.invoke_async(&mut conn).await?;
        Ok(connection)
    }

    fn use_from_now(&self, connection: Connection) {
        *self.state.lock() = State::Up(Arc::new(connection));
    }

    /// Returns when the connection is lost. One that the settings have left
    /// behind is replaced while it still serves.
    async fn until_broken(&self) {
        while tokio::time::timeout(PAUSE, self.broken.notified())
            .await
            .is_err()
        {
            if self.is_outdated() {
                match self.connect().await {
                    Ok(connection) => self.use_from_now(connection),
                    Err(error) => debug!(%error, "the new redis settings do not work yet"),
                }
            }
        }
    }

    fn trouble(&self) -> Option<RedisError> {
        match &mut *self.state.lock() {
            State::Up(_) => None,
            State::Down(trouble) => trouble.take(),
        }
    }
}

/// Connects for ever, and logs each change once.
async fn keep(link: Arc<Link>) {
    let mut down_since: Option<Instant> = None;
    loop {
        match link.connect().await {
            Ok(connection) => {
                link.use_from_now(connection);
                let down_s = down_since.take().map(|since| since.elapsed().as_secs_f64());
                info!(duration_s = down_s, "rate limits are shared through Redis");
                link.until_broken().await;
                down_since = Some(Instant::now());
                if let Some(error) = link.trouble() {
                    alone(&error);
                }
            }
            Err(error) if down_since.is_none() => {
                down_since = Some(Instant::now());
                alone(&error);
            }
            Err(error) => debug!(%error, "rate limits are still counted in this process only"),
        }
        sleep(PAUSE).await;
    }
}

fn alone(error: &RedisError) {
    warn!(%error, "rate limits are counted in this process only until Redis answers");
}

async fn take(connection: &Connection, takes: &[Take]) -> RedisResult<Result<(), Exceeded>> {
    let mut script = TAKE.prepare_invoke();
    for take in takes {
        script
            .key(take.name.key(take.dimension))
            .arg(take.per_second)
            .arg(take.burst)
            .arg(take.amount);
    }
    let mut conn: MultiplexedConnection = (**connection).clone();
    let answer: Vec<u64> = script.invoke_async(&mut conn).await?;
    Ok(match answer[..] {
        [full, wait_us] => refused(takes, full, wait_us),
        _ => Ok(()),
    })
}

fn refused(takes: &[Take], full: u64, wait_us: u64) -> Result<(), Exceeded> {
    let full = usize::try_from(full).unwrap_or(usize::MAX);
    match takes.get(full.wrapping_sub(1)) {
        None => Ok(()),
        Some(take) => Err(Exceeded {
            dimension: take.dimension,
            retry_after: Duration::from_micros(wait_us),
        }),
    }
}
