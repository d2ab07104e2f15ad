//! A question to a dependency, asked at most once a second whoever wants to
//! know, and never waited for long. A dependency that failed is asked more
//! often: that it is back is to be seen at once.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    time::{Duration, Instant},
};

use tokio::sync::Mutex;
use tokio_util::task::AbortOnDropHandle;

use crate::Check;

const OK_FOR: Duration = Duration::from_secs(1);
const FAILED_FOR: Duration = Duration::from_millis(100);
const TIMEOUT: Duration = Duration::from_secs(1);

type Answer = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

pub(crate) struct Probe {
    pub(crate) name: &'static str,
    ask: Box<dyn Fn() -> Answer + Send + Sync>,
    /// The lock is held while asking: all who wait share one answer.
    last: Mutex<Option<(Instant, Check)>>,
}

impl Probe {
    pub(crate) fn new<F, Fut, E>(name: &'static str, ask: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        let ask = Box::new(move || -> Answer {
            let answer = ask();
            Box::pin(async move { answer.await.map_err(|error| error.to_string()) })
        });
        let last = Mutex::new(None);
        Self { name, ask, last }
    }

    pub(crate) async fn check(&self) -> Check {
        let mut last = self.last.lock().await;
        if let Some((asked, check)) = last.as_ref()
            && asked.elapsed() < fresh_for(check)
        {
            return check.clone();
        }
        let check = self.ask().await;
        let before = last.replace((Instant::now(), check.clone()));
        self.log_change(before.map(|(_, check)| check), &check);
        check
    }

    /// On a task of its own, so that a panic is an answer too. A question that
    /// hangs is given up: else they would pile up, one for each time that somebody asks.
    async fn ask(&self) -> Check {
        let answer = AbortOnDropHandle::new(tokio::spawn((self.ask)()));
        match tokio::time::timeout(TIMEOUT, answer).await {
            Ok(Ok(Ok(()))) => Check::Ok,
            Ok(Ok(Err(reason))) => Check::Failed(reason),
            Ok(Err(_)) => Check::Failed("the probe panicked".to_owned()),
            Err(_) => Check::Failed(format!("no answer within {TIMEOUT:?}")),
        }
    }

    fn log_change(&self, before: Option<Check>, now: &Check) {
        match (before, now) {
            (Some(before), now) if before == *now => {}
            (None, Check::Ok) => {}
            (_, Check::Failed(reason)) => {
                tracing::warn!(probe = self.name, error = reason, "probe fails")
            }
            _ => tracing::info!(probe = self.name, "probe answers again"),
        }
    }
}

fn fresh_for(check: &Check) -> Duration {
    match check {
        Check::Ok => OK_FOR,
        _ => FAILED_FOR,
    }
}
