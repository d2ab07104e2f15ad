//! Questions to dependencies.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use health::{Check, Health};
use serde_json::json;

use crate::{get, serve};

#[tokio::test]
async fn a_probe_that_fails_makes_the_process_unready_and_says_why() {
    let health = Health::new();
    let there = Arc::new(AtomicBool::new(true));
    let answer = there.clone();
    health.probe("postgres", move || {
        let there = answer.load(Ordering::SeqCst);
        async move {
            if there {
                Ok(())
            } else {
                Err("connection refused")
            }
        }
    });
    let address = serve(&health).await;
    assert_eq!(get(address, "/health/ready").await.0, 200);
    there.store(false, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let (status, body) = get(address, "/health/ready").await;
    assert_eq!(status, 503);
    let failed = json!({"state": "failed", "reason": "connection refused"});
    assert_eq!(body["checks"]["postgres"], failed);
    assert_eq!(get(address, "/health/live").await.0, 200);
    assert_eq!(get(address, "/health/startup").await.0, 200);
}

#[tokio::test]
async fn a_dependency_that_is_back_is_seen_before_one_that_is_gone_would_be() {
    let health = Health::new();
    let asked = Arc::new(AtomicU32::new(0));
    let count = asked.clone();
    health.probe("postgres", move || {
        let first = count.fetch_add(1, Ordering::SeqCst) == 0;
        async move { if first { Err("refused") } else { Ok(()) } }
    });
    let began = Instant::now();
    assert!(!health.ready().await.ok);
    while !health.ready().await.ok {
        assert!(began.elapsed() < Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let seen = began.elapsed();
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    // What is well is asked again only after longer than that.
    while asked.load(Ordering::SeqCst) == 2 {
        health.ready().await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(began.elapsed() - seen > seen);
}

#[tokio::test]
async fn many_who_ask_at_once_cost_one_question() {
    let health = Health::new();
    let asked = Arc::new(AtomicU32::new(0));
    let count = asked.clone();
    health.probe("postgres", move || {
        count.fetch_add(1, Ordering::SeqCst);
        async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok::<(), String>(())
        }
    });
    let reports = futures::future::join_all((0..50).map(|_| health.ready())).await;
    assert!(reports.iter().all(|report| report.ok));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    health.ready().await;
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_probe_that_hangs_is_not_waited_for() {
    let health = Health::new();
    health.probe("postgres", std::future::pending::<Result<(), String>>);
    let began = Instant::now();
    let report = health.ready().await;
    assert!(began.elapsed() < Duration::from_secs(2));
    assert_eq!(
        report.checks["postgres"],
        Check::Failed("no answer within 1s".to_owned())
    );
}

#[tokio::test]
async fn a_probe_that_panics_is_a_failed_one() {
    let health = Health::new();
    health.probe("postgres", || async {
        assert!(
            std::env::var_os("NEVER_SET").is_some(),
            "a bug in the probe"
        );
        Ok::<(), String>(())
    });
    let report = health.ready().await;
    assert_eq!(
        report.checks["postgres"],
        Check::Failed("the probe panicked".to_owned())
    );
}

/// Counts down when it is dropped.
struct Running(Arc<AtomicU32>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn probes_that_hang_do_not_pile_up() {
    let health = Health::new();
    let running = Arc::new(AtomicU32::new(0));
    let count = running.clone();
    health.probe("postgres", move || {
        count.fetch_add(1, Ordering::SeqCst);
        let running = Running(count.clone());
        async move {
            let _running = running;
            std::future::pending::<Result<(), String>>().await
        }
    });
    health.ready().await;
    tokio::task::yield_now().await;
    assert_eq!(running.load(Ordering::SeqCst), 0);
}
