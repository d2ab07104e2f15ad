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

const QUEUE_FULL: &str = "queue_full";
const EXPORT_FAILED: &str = "export_failed";

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
    told: Option<Instant>,
    /// It was told that something is lost, and not yet that all is well again.
    is_open: bool,
    /// Of the last export that failed since then.
    error: Option<String>,
    /// What was lost before it was last told.
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
            self.count(1, QUEUE_FULL);
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
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let is_well = result.is_ok();
        if let Err(error) = result {
            self.count(count as u64, EXPORT_FAILED);
            trouble.error = Some(error.to_string());
        }
        let lost = self.lost() - trouble.lost_before;
        let may_tell = trouble.told.is_none_or(|told| told.elapsed() >= TELL_EVERY);
        let signal = self.signal.name();
        if lost > 0 && may_tell {
            trouble.told = Some(Instant::now());
            trouble.is_open = true;
            trouble.lost_before += lost;
            let error = trouble.error.take();
            let error = error.unwrap_or_else(|| "the queue was full".to_owned());
            tracing::warn!(signal, lost, error, "telemetry is lost");
        } else if lost == 0 && is_well && trouble.is_open {
            trouble.is_open = false;
            tracing::info!(signal, "telemetry arrives again");
        }
    }

    /// Who watches for growth must have seen the 0.
    pub(crate) fn announce(&self) {
        for reason in [QUEUE_FULL, EXPORT_FAILED] {
            self.count(0, reason);
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
    use std::{io, sync::Arc};

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

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_failed_export_loses_all_that_was_in_it_and_many_are_told_once() {
        let sink = Sink::default();
        let writer = sink.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let losses = Losses::new(Signal::Logs, 10);
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..5 {
                losses.judge(7, Err(OTelSdkError::Timeout(Duration::from_secs(1))));
                losses.judge(3, Ok(()));
            }
        });
        assert_eq!(losses.lost(), 35);
        let kept = sink.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&kept);
        assert_eq!(text.matches("telemetry is lost").count(), 1, "{text}");
        assert_eq!(text.matches("arrives again").count(), 1, "{text}");
        assert!(text.contains("lost=7"), "{text}");
    }
}
