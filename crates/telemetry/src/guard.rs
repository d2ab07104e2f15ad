//! What keeps telemetry alive, and how it ends.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry_sdk::{
    error::OTelSdkResult, logs::SdkLoggerProvider, metrics::SdkMeterProvider,
    trace::SdkTracerProvider,
};
use tokio::sync::oneshot;

use crate::{LevelHandle, SampleHandle, export::Losses, metrics};

/// For all signals together: an end may take three seconds longer, all told.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(2_800);

/// Keeps telemetry alive; give it back by [`Guard::flush`] at the end.
#[must_use = "dropped without `flush`, the last spans are lost"]
#[derive(Debug)]
pub struct Guard {
    parts: Parts,
    level: LevelHandle,
    sampling: SampleHandle,
}

#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) traces: SdkTracerProvider,
    pub(crate) meters: SdkMeterProvider,
    /// `None`: nothing is counted.
    pub(crate) pull: Option<metrics::Pull>,
    pub(crate) logs: Option<SdkLoggerProvider>,
    /// Of those that export.
    pub(crate) losses: Vec<Arc<Losses>>,
}

impl Guard {
    pub(crate) fn new(parts: Parts, level: LevelHandle, sampling: SampleHandle) -> Self {
        Self {
            parts,
            level,
            sampling,
        }
    }

    /// Instruments of the whole process count here from now on.
    pub(crate) fn install_metrics(&self) {
        if let Some(pull) = &self.parts.pull {
            metrics::install_provider(&self.parts.meters, pull.clone());
            self.parts
                .losses
                .iter()
                .for_each(|losses| losses.announce());
        }
    }

    /// For tests: counts here, whatever is installed.
    #[doc(hidden)]
    pub fn meter(&self) -> Meter {
        self.parts.meters.meter("it")
    }

    /// Reads and changes the level of the log while the process runs.
    pub fn level(&self) -> LevelHandle {
        self.level.clone()
    }

    /// Changes the share of traces that are kept while the process runs.
    pub fn sampling(&self) -> SampleHandle {
        self.sampling.clone()
    }

    /// Sends what is queued, all signals at once, for three seconds at most. On
    /// threads of their own: on those of the runtime the exporters would wait for
    /// themselves, in vain, and its end would wait for them.
    pub async fn flush(self) {
        let deadline = tokio::time::Instant::now() + FLUSH_TIMEOUT;
        let Parts {
            traces,
            meters,
            logs,
            losses,
            ..
        } = self.parts;
        let before: u64 = losses.iter().map(|losses| losses.lost()).sum();
        let ends = [
            started(move |timeout| traces.shutdown_with_timeout(timeout)),
            started(move |timeout| meters.shutdown_with_timeout(timeout)),
            started(move |timeout| match logs {
                Some(provider) => provider.shutdown_with_timeout(timeout),
                None => Ok(()),
            }),
        ];
        let mut is_late = false;
        for end in ends {
            let end = tokio::time::timeout_at(deadline, end).await;
            is_late |= !matches!(end, Ok(Ok(Ok(()))));
        }
        let after: u64 = losses.iter().map(|losses| losses.lost()).sum();
        if is_late {
            tracing::warn!("the last telemetry is lost: no answer in time");
        } else if after > before {
            let lost = after - before;
            tracing::warn!(lost, "the last telemetry is lost");
        }
    }
}

fn started(
    end: impl FnOnce(Duration) -> OTelSdkResult + Send + 'static,
) -> oneshot::Receiver<OTelSdkResult> {
    let (done, ended) = oneshot::channel();
    let began = Instant::now();
    let work = move || {
        let timeout = FLUSH_TIMEOUT.saturating_sub(began.elapsed());
        // Nobody waits any more: the time is up.
        let _ = done.send(end(timeout));
    };
    // Where no thread can be made, the sender is gone, which is late enough.
    let _ = std::thread::Builder::new()
        .name("telemetry-end".to_owned())
        .spawn(work);
    ended
}
