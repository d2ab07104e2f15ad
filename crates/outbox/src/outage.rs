//! Backing off while Postgres or Redis is away, and saying so once.

use rand::RngExt as _;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// What keeps a relay or a consumer from its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("database: {0}")]
    Database(#[from] database::Error),
    #[error("redis: {0}")]
    Redis(#[from] redis::RedisError),
    #[error("the database does not answer")]
    Silent,
    #[error("the database has another address or password now")]
    Outdated,
}

/// The state of one worker: at work, or kept from it since some time.
pub(crate) struct Outage {
    worker: String,
    since: Option<Instant>,
    failures: u32,
}

impl Outage {
    pub(crate) fn none(worker: impl Into<String>) -> Self {
        Self {
            worker: worker.into(),
            since: None,
            failures: 0,
        }
    }

    /// Logs the first failure and pauses, longer each time. Ends early when
    /// cancelled.
    pub(crate) async fn failed(&mut self, trouble: &Trouble, cancel: &CancellationToken) {
        match self.since {
            None => warn!(worker = self.worker, error = %trouble, "interrupted, will try again"),
            Some(_) => debug!(worker = self.worker, error = %trouble, "still interrupted"),
        }
        self.since.get_or_insert_with(Instant::now);
        let longest = PAUSE_MIN
            .saturating_mul(1 << self.failures.min(10))
            .min(PAUSE_MAX);
        self.failures += 1;
        let pause = longest.mul_f64(rand::rng().random_range(0.5..=1.0));
        cancel.run_until_cancelled(tokio::time::sleep(pause)).await;
    }

    /// Something worked.
    pub(crate) fn over(&mut self) {
        if let Some(since) = self.since.take() {
            let seconds = since.elapsed().as_secs_f64();
            info!(worker = self.worker, duration_s = seconds, "at work again");
        }
        self.failures = 0;
    }
}
