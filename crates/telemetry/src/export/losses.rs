//! What waits to be sent, and what is lost: counted, and told now and then.

use std::{
    sync::{
        LazyLock, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use opentelemetry_sdk::error::OTelSdkResult;

use super::Signal;
use crate::metrics::{self, Counter, KeyValue};

/// A collector that is away is no news for this long.
const TELL_EVERY: Duration = Duration::from_secs(60);

static DROPPED: LazyLock<Counter> = LazyLock::new(|| {
    metrics::counter(
        "telemetry.dropped",
        "{item}",
        "Spans, records of the log and exports of metrics that never arrived.",
    )
});

/// Of one signal.
#[derive(Debug)]
pub(crate) struct Losses {
    signal: Signal,
    waiting: AtomicUsize,
    waiting_max: usize,
    lost: AtomicU64,
    trouble: Mutex<Trouble>,
}

#[derive(Debug, Default)]
struct Trouble {
    /// When it was last told that exports fail.
    told: Option<Instant>,
    /// What was lost before that.
    lost_before: u64,
}

impl Losses {
    pub(super) fn new(signal: Signal, waiting_max: usize) -> Self {
        Self {
            signal,
            waiting: AtomicUsize::new(0),
            waiting_max,
            lost: AtomicU64::new(0),
            trouble: Mutex::default(),
        }
    }

    /// Whether there is room for one more. Nothing is told here: the caller may
    /// hold locks of whoever logs.
    pub(super) fn enter(&self) -> bool {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let has_room = before < self.waiting_max;
        if !has_room {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.count(1, "queue_full");
        }
        has_room
    }

    /// They are on their way.
    pub(super) fn leave(&self, count: usize) {
        self.waiting.fetch_sub(count, Ordering::Relaxed);
    }

    /// The end of an export of `count` items. The SDK is told that all is well:
    /// it would log each failure.
    pub(super) fn judge(&self, count: usize, result: OTelSdkResult) {
        if result.is_err() {
            self.count(count as u64, "export_failed");
        }
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let lost = self.lost();
        let is_lossy = lost > trouble.lost_before;
        let may_tell = trouble.told.is_none_or(|told| told.elapsed() >= TELL_EVERY);
        if is_lossy && may_tell {
            let now_lost = lost - trouble.lost_before;
            trouble.told = Some(Instant::now());
            trouble.lost_before = lost;
            drop(trouble);
            let error = result.err().map(|error| error.to_string());
            let error = error.unwrap_or_else(|| "the queue was full".to_owned());
            let signal = self.signal.name();
            tracing::warn!(signal, lost = now_lost, error, "telemetry is lost");
        } else if !is_lossy && result.is_ok() && trouble.told.take().is_some() {
            drop(trouble);
            tracing::info!(signal = self.signal.name(), "telemetry arrives again");
        }
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn count(&self, count: u64, reason: &'static str) {
        self.lost.fetch_add(count, Ordering::Relaxed);
        let signal = KeyValue::new("signal", self.signal.name());
        DROPPED.add(count, &[signal, KeyValue::new("reason", reason)]);
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_sdk::error::OTelSdkError;

    use super::*;

    #[test]
    fn what_does_not_fit_is_lost_at_once_and_room_comes_back() {
        let losses = Losses::new(Signal::Traces, 2);
        assert!(losses.enter() && losses.enter());
        assert!(!losses.enter());
        assert_eq!(losses.lost(), 1);
        losses.leave(1);
        assert!(losses.enter());
        assert!(!losses.enter());
        assert_eq!(losses.lost(), 2);
    }

    #[test]
    fn a_failed_export_loses_all_that_was_in_it() {
        let losses = Losses::new(Signal::Logs, 10);
        losses.judge(7, Err(OTelSdkError::Timeout(Duration::from_secs(1))));
        losses.judge(3, Ok(()));
        assert_eq!(losses.lost(), 7);
    }
}
