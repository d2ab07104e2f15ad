//! When gauges are read.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use gauges::{Settings, keep};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(5);

#[tokio::test(start_paused = true)]
async fn gauges_are_read_soon_and_then_about_once_in_the_time_given() {
    let (stop, reads) = (CancellationToken::new(), AtomicUsize::new(0));
    let read = || async {
        reads.fetch_add(1, Ordering::Relaxed);
        Ok::<_, &str>(())
    };
    let kept = keep("gauges", EVERY, stop.clone(), read);
    let watched = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(reads.load(Ordering::Relaxed), 1);
        tokio::time::sleep(20 * EVERY).await;
        let reads = reads.load(Ordering::Relaxed);
        assert!((16..=26).contains(&reads), "{reads}");
        stop.cancel();
    };
    tokio::join!(kept, watched);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_read_is_read_again() {
    let (stop, reads) = (CancellationToken::new(), AtomicUsize::new(0));
    let read = || async {
        match reads.fetch_add(1, Ordering::Relaxed) {
            0..3 => Err("the database is away"),
            _ => {
                stop.cancel();
                Ok(())
            }
        }
    };
    keep("gauges", EVERY, stop.clone(), read).await;
    assert_eq!(reads.load(Ordering::Relaxed), 4);
}

#[tokio::test(start_paused = true)]
async fn the_stop_does_not_wait_for_a_look_that_takes_long() {
    let stop = CancellationToken::new();
    let read = || std::future::pending::<Result<(), &str>>();
    let began = Instant::now();
    let stopping = async {
        tokio::time::sleep(EVERY).await;
        stop.cancel();
    };
    tokio::join!(keep("audit", EVERY, stop.clone(), read), stopping);
    assert_eq!(began.elapsed(), EVERY);
}

#[tokio::test(start_paused = true)]
async fn no_time_means_never() {
    let never = Settings {
        audit_interval_s: 0,
        ..Settings::default()
    };
    let reads = AtomicUsize::new(0);
    let read = || async {
        reads.fetch_add(1, Ordering::Relaxed);
        Ok::<_, &str>(())
    };
    let stop = CancellationToken::new();
    keep("audit", never.audit_interval(), stop, read).await;
    assert_eq!(reads.load(Ordering::Relaxed), 0);
}
