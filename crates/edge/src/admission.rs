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
/// When none was refused for so long, all is well.
const CALM: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Admission {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    max_waiting: usize,
    strangers: Arc<Strangers>,
}

/// The calls of others than services.
#[derive(Debug)]
struct Strangers {
    /// What the limit leaves, in the order in which they came.
    places: Semaphore,
    /// Those that run or wait.
    count: AtomicUsize,
    peak: AtomicUsize,
    /// For so long one may wait after a while in which none was refused.
    patience: Duration,
    max_waiting: usize,
    waiting: AtomicUsize,
    learnt: Mutex<Learnt>,
}

#[derive(Debug)]
struct Learnt {
    limit: Limit,
    /// Places that are held although the limit has none for them any more.
    owed: usize,
    /// When the last call ended.
    last: Instant,
    refused: bool,
    last_refused: Option<Instant>,
}

/// A call that was let in; if it is carried out its end tells how long that
/// took.
#[derive(Debug)]
pub(crate) struct Stranger {
    among: Arc<Strangers>,
    kind: Kind,
    since: Instant,
    is_carried_out: AtomicBool,
}

/// A place in the service; free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _place: OwnedSemaphorePermit,
    stranger: Option<Stranger>,
}

impl Place {
    /// The call was refused for what it asks for: how quickly tells nothing.
    pub(crate) fn is_not_used(&self) {
        if let Some(stranger) = &self.stranger {
            stranger.is_carried_out.store(false, Relaxed);
        }
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let is_carried_out = self.is_carried_out.load(Relaxed);
        let took = is_carried_out.then(|| self.since.elapsed());
        self.among.left(&self.kind, took);
    }
}

impl Strangers {
    fn new(settings: &ServerSettings) -> Self {
        let most = settings.max_concurrent_requests + settings.max_waiting_requests;
        let limit = Limit::new(most, settings.max_queueing());
        Self {
            places: Semaphore::new(limit.now()),
            count: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            patience: settings.max_queueing() / 2,
            max_waiting: settings.max_waiting_requests,
            waiting: AtomicUsize::new(0),
            learnt: Mutex::new(Learnt {
                limit,
                owed: 0,
                last: Instant::now(),
                refused: false,
                last_refused: None,
            }),
        }
    }

    /// A place now, or soon when all was well until now: what comes all at once
    /// is not yet too much.
    async fn place(&self, deadline: Deadline) -> bool {
        if let Ok(place) = self.places.try_acquire() {
            place.forget();
            return true;
        }
        let waiting = self.waiting.fetch_add(1, Relaxed);
        let _waiting = Waiting(&self.waiting);
        if waiting < self.max_waiting && self.is_calm() {
            let patience = self.patience.min(deadline.remaining());
            let place = tokio::time::timeout(patience, self.places.acquire()).await;
            if let Ok(Ok(place)) = place {
                place.forget();
                return true;
            }
        }
        let mut learnt = self.learnt.lock();
        learnt.refused = true;
        learnt.last_refused = Some(Instant::now());
        false
    }

    fn is_calm(&self) -> bool {
        let last = self.learnt.lock().last_refused;
        last.is_none_or(|last| last.elapsed() > CALM)
    }

    /// `took`: how long it was carried out.
    fn left(&self, kind: &Kind, took: Option<Duration>) {
        let left = self.count.fetch_sub(1, Relaxed) - 1;
        let mut learnt = self.learnt.lock();
        let before = learnt.limit.now();
        if let Some(took) = took {
            let now = Instant::now();
            let after = now - std::mem::replace(&mut learnt.last, now);
            if learnt.limit.ended(kind, took, after) {
                let seen = Seen {
                    peak: self.peak.swap(left, Relaxed),
                    refused: std::mem::take(&mut learnt.refused),
                };
                learnt.limit.decide(seen);
            }
        }
        let limit = learnt.limit.now();
        self.free(&mut learnt, 1 + limit.saturating_sub(before));
        let fewer = before.saturating_sub(limit);
        learnt.owed += fewer - self.places.forget_permits(fewer);
    }

    fn free(&self, learnt: &mut Learnt, places: usize) {
        let kept = places.min(learnt.owed);
        learnt.owed -= kept;
        self.places.add_permits(places - kept);
    }
}

/// Counts one call that waits, also when its future is dropped.
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
        Self {
            places: Arc::new(Semaphore::new(running)),
            waiting: AtomicUsize::new(0),
            max_waiting: waiting,
            strangers: Arc::new(Strangers::new(settings)),
        }
    }

    /// For a call of others than our services, as soon as it is known who calls.
    pub(crate) async fn let_in(&self, kind: Kind, deadline: Deadline) -> Result<Stranger, Problem> {
        let strangers = &self.strangers;
        let count = strangers.count.fetch_add(1, Relaxed) + 1;
        strangers.peak.fetch_max(count, Relaxed);
        let counted = Waiting(&strangers.count);
        if !strangers.place(deadline).await {
            return Err(overloaded());
        }
        std::mem::forget(counted);
        Ok(Stranger {
            among: strangers.clone(),
            kind,
            since: Instant::now(),
            is_carried_out: AtomicBool::new(false),
        })
    }

    pub(crate) async fn enter(
        &self,
        deadline: Deadline,
        stranger: Option<Stranger>,
    ) -> Result<Place, Problem> {
        let place = self.place(deadline).await?;
        if let Some(stranger) = &stranger {
            stranger.is_carried_out.store(true, Relaxed);
        }
        Ok(Place {
            _place: place,
            stranger,
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
        let let_in = || admission.let_in("create".into(), far());
        let mut all = Vec::new();
        for _ in 0..4 {
            all.push(let_in().await.unwrap());
        }
        let refused = let_in().await.unwrap_err();
        assert_eq!(refused.reason(), Reason::Overloaded);
        admission.enter(far(), None).await.unwrap();
        drop(all);
        let_in().await.unwrap();
        assert_eq!(admission.strangers.count.load(Relaxed), 0);
    }

    #[tokio::test]
    async fn what_comes_at_once_after_a_calm_waits_and_what_goes_on_coming_does_not() {
        let admission = Arc::new(admission(60, 1000));
        let strangers = &admission.strangers;
        let mut all = Vec::new();
        for _ in 0..64 {
            all.push(admission.let_in("create".into(), far()).await.unwrap());
        }
        let waits = tokio::spawn({
            let admission = admission.clone();
            async move { admission.let_in("create".into(), far()).await.map(drop) }
        });
        while strangers.waiting.load(Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        all.pop();
        waits.await.unwrap().unwrap();
        all.push(admission.let_in("create".into(), far()).await.unwrap());

        let began = Instant::now();
        let waited = admission.let_in("create".into(), far()).await;
        waited.unwrap_err();
        assert!(began.elapsed() >= strangers.patience);
        let at_once = admission.let_in("create".into(), far());
        let at_once = tokio::time::timeout(Duration::ZERO, at_once).await;
        at_once.unwrap().unwrap_err();
        assert_eq!(strangers.waiting.load(Relaxed), 0);
        assert_eq!(strangers.count.load(Relaxed), 64);
    }

    #[tokio::test]
    async fn only_calls_that_are_carried_out_tell_how_long_calls_take() {
        let admission = admission(1, 100);
        let samples = || {
            let learnt = admission.strangers.learnt.lock();
            learnt.limit.samples()
        };
        let let_in = async || admission.let_in("create".into(), far()).await.unwrap();
        drop(let_in().await);
        let place = admission.enter(far(), Some(let_in().await)).await.unwrap();
        place.is_not_used();
        drop(place);
        assert_eq!(samples(), 0);
        let place = admission.enter(far(), Some(let_in().await)).await.unwrap();
        drop(place);
        assert_eq!(samples(), 1);
        assert_eq!(admission.strangers.count.load(Relaxed), 0);
        assert_eq!(admission.strangers.places.available_permits(), 64);
    }

    #[tokio::test]
    async fn calls_that_take_longer_and_longer_lower_the_limit_by_places_that_end() {
        let admission = admission(1024, 0);
        let strangers = &admission.strangers;
        let mut all = Vec::new();
        for _ in 0..64 {
            all.push(admission.let_in("create".into(), far()).await.unwrap());
        }
        for second in 1..30 {
            for _ in 0..20 {
                strangers.learnt.lock().last = Instant::now() - Duration::from_millis(20);
                strangers.count.fetch_add(1, Relaxed);
                strangers.learnt.lock().owed += 1;
                strangers.left(&"create".into(), Some(Duration::from_secs(second)));
            }
        }
        let limit = strangers.learnt.lock().limit.now();
        assert!(limit < 64, "{limit} may run");
        assert_eq!(strangers.learnt.lock().owed, 64 - limit);
        assert_eq!(strangers.places.available_permits(), 0);
        drop(all);
        let limit = strangers.learnt.lock().limit.now();
        assert_eq!(strangers.places.available_permits(), limit);
        assert_eq!(strangers.learnt.lock().owed, 0);
    }
}
