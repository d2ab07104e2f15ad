//! The promises that callers of a gathered verb rely on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panic"
)]

mod metrics;
mod spans;

use batch::{GatherError, Gatherer};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::Semaphore;
use tracing::Span;

/// Inputs of callers without a trace.
fn alone(inputs: impl IntoIterator<Item = u32>) -> Vec<(Span, u32)> {
    let inputs = inputs.into_iter();
    inputs.map(|input| (Span::none(), input)).collect()
}

/// A verb that runs one batch per permit and remembers what each batch held.
struct Gated {
    gate: Arc<Semaphore>,
    seen: Arc<Mutex<Vec<Vec<u32>>>>,
    gatherer: Gatherer<u32, u32>,
}

impl Gated {
    fn new(limit: usize) -> Self {
        let gate = Arc::new(Semaphore::new(0));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let gatherer = Gatherer::spawn("double", limit, {
            let (gate, seen) = (gate.clone(), seen.clone());
            move |inputs: Vec<u32>| {
                let (gate, seen) = (gate.clone(), seen.clone());
                async move {
                    seen.lock().unwrap().push(inputs.clone());
                    gate.acquire().await.unwrap().forget();
                    inputs.into_iter().map(|n| n * 2).collect()
                }
            }
        });
        Self {
            gate,
            seen,
            gatherer,
        }
    }

    /// Occupies the worker with a batch of one.
    async fn busy(&self) -> tokio::task::JoinHandle<Result<u32, GatherError>> {
        let gatherer = self.gatherer.clone();
        let first = tokio::spawn(async move { gatherer.call(0).await });
        self.until(|seen| seen.len() == 1).await;
        first
    }

    async fn until(&self, done: impl Fn(&[Vec<u32>]) -> bool) {
        tokio::time::timeout(Duration::from_secs(10), async {
            while !done(&self.seen.lock().unwrap()) {
                tokio::task::yield_now().await;
            }
        })
        .await
        .expect("the worker should have got there");
    }

    fn batches(&self) -> Vec<Vec<u32>> {
        self.seen.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn a_lone_call_is_a_batch_of_one() {
    let gated = Gated::new(8);
    gated.gate.add_permits(2);
    assert_eq!(gated.gatherer.call(1).await, Ok(2));
    assert_eq!(gated.gatherer.call(2).await, Ok(4));
    assert_eq!(gated.batches(), [vec![1], vec![2]]);
}

#[tokio::test]
async fn what_waits_becomes_the_next_batch_in_order_of_arrival_up_to_the_limit() {
    let gated = Gated::new(8);
    let first = gated.busy().await;
    let rest = tokio::spawn({
        let gatherer = gated.gatherer.clone();
        async move { gatherer.call_many(alone(1..=20)).await }
    });
    tokio::task::yield_now().await;
    gated.gate.add_permits(4);
    assert_eq!(first.await.unwrap(), Ok(0));
    let expected: Vec<_> = (1..=20).map(|n| Ok(n * 2)).collect();
    assert_eq!(rest.await.unwrap(), expected);
    assert_eq!(
        gated.batches(),
        [
            vec![0],
            (1..=8).collect(),
            (9..=16).collect(),
            (17..=20).collect()
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_one_of_many_concurrent_callers_gets_its_own_answer() {
    let gatherer = Gatherer::spawn("double", 16, |inputs: Vec<u32>| async move {
        tokio::time::sleep(Duration::from_millis(1)).await;
        inputs.into_iter().map(|n| n * 2).collect()
    });
    let calls = (0..200).map(|n| {
        let gatherer = gatherer.clone();
        tokio::spawn(async move { (n, gatherer.call(n).await) })
    });
    for call in futures::future::join_all(calls).await {
        let (n, answer) = call.unwrap();
        assert_eq!(answer, Ok(n * 2));
    }
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_what_was_queued_still_runs() {
    let gated = Gated::new(1);
    let first = gated.busy().await;
    let many = tokio::spawn({
        let gatherer = gated.gatherer.clone();
        async move { gatherer.call_many(alone(1..=20)).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(gated.gatherer.call(99).await, Err(GatherError::Overloaded));
    gated.gate.add_permits(100);
    assert_eq!(first.await.unwrap(), Ok(0));
    let answers = many.await.unwrap();
    assert!(answers[..16].iter().all(Result::is_ok));
    assert!(
        answers[16..]
            .iter()
            .all(|a| *a == Err(GatherError::Overloaded))
    );
}

#[tokio::test]
async fn a_caller_that_goes_away_cancels_nothing() {
    let gated = Gated::new(8);
    let first = gated.busy().await;
    let leaver = tokio::spawn({
        let gatherer = gated.gatherer.clone();
        async move { gatherer.call(7).await }
    });
    tokio::task::yield_now().await;
    leaver.abort();
    assert!(leaver.await.unwrap_err().is_cancelled());
    gated.gate.add_permits(2);
    assert_eq!(first.await.unwrap(), Ok(0));
    gated.until(|seen| seen.contains(&vec![7])).await;
}

#[tokio::test]
async fn a_panic_fails_only_its_own_batch() {
    let gatherer = Gatherer::spawn("fragile", 8, |inputs: Vec<u32>| {
        assert!(!inputs.contains(&13), "before the first await");
        async move {
            tokio::task::yield_now().await;
            assert!(!inputs.contains(&14), "after the first await");
            inputs
        }
    });
    assert_eq!(gatherer.call(13).await, Err(GatherError::Panicked));
    assert_eq!(gatherer.call(1).await, Ok(1));
    assert_eq!(gatherer.call(14).await, Err(GatherError::Panicked));
    assert_eq!(gatherer.call(2).await, Ok(2));
}

#[tokio::test]
async fn a_batch_that_miscounts_its_answers_fails_instead_of_mixing_them_up() {
    let gatherer = Gatherer::spawn("short", 8, |inputs: Vec<u32>| async move {
        inputs.into_iter().filter(|n| n % 2 == 0).collect()
    });
    let answers = gatherer.call_many(alone(1..=3)).await;
    assert_eq!(answers, [Err(GatherError::Panicked); 3]);
    assert_eq!(gatherer.call(4).await, Ok(4));
}

#[tokio::test]
async fn the_worker_finishes_its_queue_after_the_last_handle_is_gone() {
    let gated = Gated::new(8);
    let Gated {
        gate,
        seen,
        gatherer,
    } = gated;
    let answers = tokio::spawn(async move { gatherer.call_many(alone(1..=2)).await });
    gate.add_permits(1);
    assert_eq!(answers.await.unwrap(), [Ok(2), Ok(4)]);
    assert_eq!(seen.lock().unwrap().clone(), [vec![1, 2]]);
}
