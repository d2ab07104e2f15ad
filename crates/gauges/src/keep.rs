use std::{fmt::Display, time::Duration};

use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

/// Calls `read` about once in `every` until `stop`; never, if that is zero.
/// While it fails its gauges keep their last values, and the log says so once.
///
/// Replicas that start together drift apart, so that they do not all read at the
/// same moment. A `read` under way at the stop is dropped: it must only read.
pub async fn keep<E, Fut>(
    what: &'static str,
    every: Duration,
    stop: CancellationToken,
    read: impl Fn() -> Fut,
) where
    E: Display,
    Fut: Future<Output = Result<(), E>>,
{
    if every.is_zero() {
        return;
    }
    let mut is_failing = false;
    let mut pause = jittered(every.min(Duration::from_secs(1)) / 2);
    while stop
        .run_until_cancelled(tokio::time::sleep(pause))
        .await
        .is_some()
    {
        let Some(result) = stop.run_until_cancelled(read()).await else {
            return;
        };
        match &result {
            Ok(()) if is_failing => info!(worker = what, "can be read again"),
            Ok(()) => {}
            Err(error) if is_failing => debug!(worker = what, %error, "still cannot be read"),
            Err(error) => {
                warn!(worker = what, %error, "cannot be read, and keep their last values");
            }
        }
        is_failing = result.is_err();
        pause = jittered(every);
    }
}

fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(rand::random_range(0.8..1.2))
}
