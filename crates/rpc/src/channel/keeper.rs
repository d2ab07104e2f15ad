//! Keeps one endpoint connected as long as it belongs to its peer.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{connection, endpoint::Endpoint, set::Set};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Between two tries, even if somebody waits.
const PAUSE_MIN: Duration = Duration::from_millis(10);
/// After the first ejection; each further one doubles it.
const EJECTED: Duration = Duration::from_secs(1);
const EJECTED_MAX: Duration = Duration::from_secs(30);
/// A connection that lasts less is as good as none.
const SHORT: Duration = Duration::from_secs(1);

pub(super) async fn keep(endpoint: Arc<Endpoint>, set: Arc<Set>) {
    let mut failed = 0;
    while let Some(pause) = endpoint
        .removed
        .run_until_cancelled(turn(&endpoint, &set, &mut failed))
        .await
    {
        let waiting = endpoint.removed.run_until_cancelled(wait(&endpoint, pause));
        if waiting.await.is_none() {
            break;
        }
    }
    endpoint.disconnected();
    set.changed(&endpoint);
}

/// One connection, from the try to its end, and for how long to pause then.
async fn turn(endpoint: &Endpoint, set: &Set, failed: &mut u32) -> Duration {
    let (link, ended) = match connection::connect(endpoint.address, &endpoint.place).await {
        Ok(connected) => connected,
        Err(error) => {
            tracing::debug!(
                server.address = endpoint.place.host,
                server.port = endpoint.place.port,
                %error,
                "an endpoint of a peer cannot be connected"
            );
            endpoint.not_connected(error);
            set.changed(endpoint);
            *failed += 1;
            return doubled(FIRST_PAUSE, *failed, PAUSE_MAX);
        }
    };
    let (began, ejections) = (Instant::now(), endpoint.ejections());
    endpoint.connected(link);
    set.changed(endpoint);
    tokio::select! {
        _ = ended => endpoint.disconnected(),
        () = endpoint.given_up() => {}
    }
    set.changed(endpoint);
    if endpoint.ejections() > ejections {
        return doubled(EJECTED, endpoint.ejections(), EJECTED_MAX);
    }
    if began.elapsed() >= SHORT {
        *failed = 0;
        return Duration::ZERO;
    }
    *failed += 1;
    doubled(FIRST_PAUSE, *failed, PAUSE_MAX)
}

/// Whoever waits for a connection ends the pause.
async fn wait(endpoint: &Endpoint, pause: Duration) {
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        () = async {
            endpoint.wanted.notified().await;
            tokio::time::sleep(PAUSE_MIN).await;
        } => {}
    }
}

/// `first` for the first time, jittered.
fn doubled(first: Duration, times: u32, max: Duration) -> Duration {
    let pause = first.saturating_mul(1 << times.saturating_sub(1).min(16));
    pause.min(max).mul_f64(rand::random_range(0.8..1.2))
}
