//! Bounded concurrency with a bounded queue: past both a call is refused at
//! once, before any work is done for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use rpc::{Deadline, Problem, Reason};

const RETRY_AFTER: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(crate) struct Admission {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    max_waiting: usize,
}

/// Counts one waiting call, also when its future is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Admission {
    pub(crate) fn new(max_running: usize, max_waiting: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(max_running)),
            waiting: AtomicUsize::new(0),
            max_waiting,
        }
    }

    pub(crate) async fn enter(
        &self,
        deadline: Deadline,
    ) -> Result<Arc<OwnedSemaphorePermit>, Problem> {
        if let Ok(permit) = self.places.clone().try_acquire_owned() {
            return Ok(Arc::new(permit));
        }
        let ahead = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        if ahead >= self.max_waiting {
            return Err(overloaded());
        }
        let place = self.places.clone().acquire_owned();
        match tokio::time::timeout(deadline.remaining(), place).await {
            Ok(Ok(permit)) => Ok(Arc::new(permit)),
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

    #[tokio::test]
    async fn past_the_queue_a_call_is_refused_at_once() {
        let admission = Arc::new(Admission::new(1, 1));
        let far = Deadline::after(Duration::from_secs(60));
        let running = admission.enter(far).await.unwrap();
        let queued = tokio::spawn({
            let admission = admission.clone();
            async move { admission.enter(far).await.map(drop) }
        });
        while admission.waiting.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        let refused = admission.enter(far).await.unwrap_err();
        assert_eq!(refused.reason(), Reason::Overloaded);
        drop(running);
        queued.await.unwrap().unwrap();
        assert_eq!(admission.waiting.load(Ordering::Relaxed), 0);
    }
}
