//! How long calls take.

use std::time::Duration;

use hdrhistogram::Histogram;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::time::Instant;

/// Three digits are kept of each value.
const DIGITS: u8 = 3;
const MAX: Duration = Duration::from_secs(3600);

/// Latencies of many calls, each from its intended start: what a call waited
/// before it was sent is part of what its customer waited.
#[derive(Debug)]
pub struct Latencies(Mutex<Histogram<u64>>);

/// The shape of many latencies, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Latency {
    pub count: u64,
    pub mean_ms: f64,
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub max_ms: f64,
}

impl Default for Latencies {
    #[expect(
        clippy::expect_used,
        reason = "an hour in microseconds, by three digits, is a shape that there is"
    )]
    fn default() -> Self {
        let histogram = Histogram::new_with_max(micros(MAX), DIGITS);
        Self(Mutex::new(histogram.expect("a valid shape")))
    }
}

impl Latencies {
    /// A call that has ended now.
    pub fn since(&self, intended: Instant) {
        self.record(intended.elapsed());
    }

    /// More than an hour counts as an hour.
    pub fn record(&self, took: Duration) {
        self.0.lock().saturating_record(micros(took));
    }

    pub fn summary(&self) -> Latency {
        let histogram = self.0.lock();
        let at = |quantile| millis(histogram.value_at_quantile(quantile));
        Latency {
            count: histogram.len(),
            mean_ms: histogram.mean() / 1000.0,
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: millis(histogram.max()),
        }
    }
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "at most an hour in microseconds"
)]
fn millis(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_what_was_recorded() {
        let latencies = Latencies::default();
        for ms in 1..=1000 {
            latencies.record(Duration::from_millis(ms));
        }
        let summary = latencies.summary();
        assert_eq!(summary.count, 1000);
        let near = |value: f64, expected: f64| (value - expected).abs() <= expected / 500.0;
        assert!(near(summary.p50_ms, 500.0), "{summary:?}");
        assert!(near(summary.p99_ms, 990.0), "{summary:?}");
        assert!(near(summary.mean_ms, 500.5), "{summary:?}");
        assert!(near(summary.max_ms, 1000.0), "{summary:?}");
    }

    #[test]
    fn nothing_recorded_is_no_latency() {
        assert_eq!(Latencies::default().summary(), Latency::default());
    }

    #[test]
    fn more_than_an_hour_counts_as_an_hour() {
        let latencies = Latencies::default();
        latencies.record(Duration::from_secs(100_000));
        let summary = latencies.summary();
        assert_eq!(summary.count, 1);
        assert!(summary.max_ms >= 3_600_000.0);
    }

    /// A service that stands still for a second under 100 calls a second:
    /// whoever measures from the sending sees one slow call, but a hundred
    /// customers have waited.
    #[tokio::test(start_paused = true)]
    async fn the_wait_before_the_sending_counts() {
        let latencies = Latencies::default();
        let first = Instant::now();
        tokio::time::sleep(Duration::from_secs(1)).await;
        for number in 0..100 {
            latencies.since(first + Duration::from_millis(10) * number);
        }
        let p50_ms = latencies.summary().p50_ms;
        assert!((480.0..=520.0).contains(&p50_ms), "{p50_ms}");
    }
}
