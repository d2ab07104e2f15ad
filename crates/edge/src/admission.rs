//! Bounded concurrency with a bounded queue: past both a call is refused at
//! once, before any work is done for it. Of the calls of others than our own
//! services only so many are let in as do not wait for long.

mod limit;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(crate) use limit::Kind;
use limit::{Limit, Seen};
use rpc::{Deadline, Problem, Reason};

use crate::ServerSettings;

const RETRY_AFTER: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(crate) struct Admission {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    max_waiting: usize,
    strangers: Arc<Strangers>,
}

/// The calls of others than services that run or wait now.
#[derive(Debug)]
struct Strangers {
    count: AtomicUsize,
    /// As many as there may be now.
    limit: AtomicUsize,
    peak: AtomicUsize,
    refused: AtomicBool,
    learnt: Mutex<Learnt>,
}

#[derive(Debug)]
struct Learnt {
    limit: Limit,
    /// When the last call ended.
    last: Instant,
}

/// A call that was let in; its end tells how long it took.
#[derive(Debug)]
pub(crate) struct Stranger {
    among: Arc<Strangers>,
    kind: Kind,
    since: Instant,
}

/// A place in the service; free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _place: OwnedSemaphorePermit,
    _stranger: Option<Stranger>,
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.among.count.fetch_sub(1, Relaxed);
        self.among.ended(&self.kind, self.since.elapsed());
    }
}

impl Strangers {
    fn new(most: usize, allowed: Duration) -> Self {
        let limit = Limit::new(most, allowed);
        Self {
            count: AtomicUsize::new(0),
            limit: AtomicUsize::new(limit.now()),
            peak: AtomicUsize::new(0),
            refused: AtomicBool::new(false),
            learnt: Mutex::new(Learnt {
                limit,
                last: Instant::now(),
            }),
        }
    }

    fn ended(&self, kind: &Kind, took: Duration) {
        let mut learnt = self.learnt.lock();
        let now = Instant::now();
        let after = now - std::mem::replace(&mut learnt.last, now);
        if learnt.limit.ended(kind, took, after) {
            learnt.limit.decide(Seen {
                peak: self.peak.swap(self.count.load(Relaxed), Relaxed),
                refused: self.refused.swap(false, Relaxed),
            });
            self.limit.store(learnt.limit.now(), Relaxed);
        }
    }
}

/// Counts one waiting call, also when its future is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Admission {
    pub(crate) fn new(settings: &ServerSettings) -> Self {
        let (running, waiting) = (
            settings.max_concurrent_requests,
            settings.max_waiting_requests,
        );
        let strangers = Strangers::new(running + waiting, settings.max_queueing());
        Self {
            places: Arc::new(Semaphore::new(running)),
            waiting: AtomicUsize::new(0),
            max_waiting: waiting,
            strangers: Arc::new(strangers),
        }
    }

    /// For a call of others than our services, as soon as it is known who calls.
    pub(crate) fn let_in(&self, kind: Kind) -> Result<Stranger, Problem> {
        let strangers = &self.strangers;
        let before = strangers.count.fetch_add(1, Relaxed);
        if before >= strangers.limit.load(Relaxed) {
            strangers.count.fetch_sub(1, Relaxed);
            strangers.refused.store(true, Relaxed);
            return Err(overloaded());
        }
        strangers.peak.fetch_max(before + 1, Relaxed);
        Ok(Stranger {
            among: strangers.clone(),
            kind,
            since: Instant::now(),
        })
    }

    pub(crate) async fn enter(
        &self,
        deadline: Deadline,
        stranger: Option<Stranger>,
    ) -> Result<Place, Problem> {
        Ok(Place {
            _place: self.place(deadline).await?,
            _stranger: stranger,
        })
    }

    async fn place(&self, deadline: Deadline) -> Result<OwnedSemaphorePermit, Problem> {
        if let Ok(permit) = self.places.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let ahead = self.waiting.fetch_add(1, Relaxed);
        let _waiting = Waiting(&self.waiting);
        if ahead >= self.max_waiting {
            return Err(overloaded());
        }
        let place = self.places.clone().acquire_owned();
        match tokio::time::timeout(deadline.remaining(), place).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(overloaded()),
        }
    }
}

fn overloaded() -> Problem {
    Problem::new(
        Reason::Overloaded,
        "the service has more work than it can do now",
    )
    .with_retry(RETRY_AFTER)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn admission(running: usize, waiting: usize) -> Admission {
        Admission::new(&ServerSettings {
            max_concurrent_requests: running,
            max_waiting_requests: waiting,
            ..ServerSettings::at("127.0.0.1:0".parse().unwrap(), "a secret".into())
        })
    }

    fn far() -> Deadline {
        Deadline::after(Duration::from_secs(60))
    }

    #[tokio::test]
    async fn past_the_queue_a_call_is_refused_at_once() {
        let admission = Arc::new(admission(1, 1));
        let running = admission.enter(far(), None).await.unwrap();
        let queued = tokio::spawn({
            let admission = admission.clone();
            async move { admission.enter(far(), None).await.map(drop) }
        });
        while admission.waiting.load(Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        let refused = admission.enter(far(), None).await.unwrap_err();
        assert_eq!(refused.reason(), Reason::Overloaded);
        drop(running);
        queued.await.unwrap().unwrap();
        assert_eq!(admission.waiting.load(Relaxed), 0);
    }

    #[tokio::test]
    async fn past_the_limit_a_stranger_is_refused_and_a_service_is_not() {
        let admission = admission(3, 1);
        let all: Vec<Stranger> = (0..4)
            .map(|_| admission.let_in("create".into()).unwrap())
            .collect();
        let refused = admission.let_in("create".into()).unwrap_err();
        assert_eq!(refused.reason(), Reason::Overloaded);
        admission.enter(far(), None).await.unwrap();
        drop(all);
        admission.let_in("create".into()).unwrap();
    }

    #[test]
    fn calls_that_take_longer_and_longer_lower_the_limit() {
        let admission = admission(1024, 0);
        let strangers = &admission.strangers;
        assert_eq!(strangers.limit.load(Relaxed), 512);
        for second in 0..30 {
            for _ in 0..20 {
                let earlier = Instant::now() - Duration::from_millis(20);
                strangers.learnt.lock().last = earlier;
                strangers.ended(&"create".into(), Duration::from_secs(second));
            }
        }
        let limit = strangers.limit.load(Relaxed);
        assert!(limit < 512, "{limit} may run");
    }
}
