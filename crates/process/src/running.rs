//! What a serving function is given.

use std::{
    future::Future,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use health::{Health, Latch};
use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{BoxError, Settings, exit::chain};

/// Cheap to clone; all clones are one process.
#[derive(Debug, Clone)]
pub struct Process {
    pub settings: Arc<Settings>,
    pub health: Health,
    /// Cancelled when servers must stop accepting and workers must stop
    /// claiming. Work that has begun goes on.
    pub shutdown: CancellationToken,
    /// Work that must be finished before the process ends: handlers that
    /// nobody's hang-up may cancel, servers, workers.
    pub tracker: TaskTracker,
    /// How long tracked work may go on after `shutdown`.
    pub drain_deadline: Duration,
    /// Asks the process to drain, as a signal does.
    pub(crate) stop: CancellationToken,
    pub(crate) failed: Arc<AtomicBool>,
    pub(crate) start: Arc<Mutex<Option<Latch>>>,
    /// When tracked work is cut off; known once `shutdown` was seen.
    cut_off: Arc<OnceLock<Instant>>,
}

impl Process {
    pub(crate) fn new(settings: Settings, stop: CancellationToken) -> Self {
        let health = Health::new();
        let start = health.latch("start");
        Self {
            drain_deadline: settings.drain.deadline(),
            settings: Arc::new(settings),
            health,
            shutdown: CancellationToken::new(),
            tracker: TaskTracker::new(),
            stop,
            failed: Arc::default(),
            start: Arc::new(Mutex::new(Some(start))),
            cut_off: Arc::default(),
        }
    }

    /// Everything is built and listens. Until then the process is not ready,
    /// whatever other latches say.
    pub fn started(&self) {
        let latch = match self.start.lock() {
            Ok(mut start) => start.take(),
            Err(poisoned) => poisoned.into_inner().take(),
        };
        if let Some(latch) = latch {
            latch.release();
            tracing::info!("started");
        }
    }

    /// Runs a part without which the process is of no use, a server or a
    /// worker, as tracked work. If it ends before `shutdown`, by error, panic
    /// or of itself, the process drains and exits 1.
    pub fn spawn<F, E>(&self, part: &'static str, future: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let this = self.clone();
        let task = tokio::spawn(async move { future.await.map_err(Into::into) });
        self.tracker.spawn(async move {
            let error = match task.await {
                Ok(Ok(())) if this.shutdown.is_cancelled() => return,
                Ok(Ok(())) => "it ended of itself".to_owned(),
                Ok(Err(error)) => chain(error.as_ref()),
                Err(error) => error.to_string(),
            };
            tracing::error!(part, error, "a part of the process failed");
            this.fail();
        });
    }

    /// Makes the process drain and exit 1.
    pub fn fail(&self) {
        self.failed.store(true, Ordering::Relaxed);
        self.stop.cancel();
    }

    /// Waits for `shutdown`, then for tracked work, up to the deadline. What
    /// the serving function does after this is its clean-up: give back leases,
    /// close pools; it has three seconds for that.
    pub async fn drained(&self) {
        self.shutdown.cancelled().await;
        self.tracker.close();
        let cut_off = || Instant::now() + self.drain_deadline;
        let cut_off = *self.cut_off.get_or_init(cut_off);
        let done = tokio::time::timeout_at(cut_off, self.tracker.wait()).await;
        if done.is_err() {
            let left = self.tracker.len();
            tracing::warn!(left, "the drain deadline has passed, work is cut off");
        }
    }
}
