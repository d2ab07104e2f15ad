//! What is measured of batches.

use std::sync::Arc;

use batch::Gatherer;
use testkit::metrics::{alone, counted};
use tokio::sync::Semaphore;
use tracing::Span;

#[test]
fn a_batch_is_measured_by_its_verb_and_so_is_its_queue() {
    alone(
        "metrics::a_batch_is_measured_by_its_verb_and_so_is_its_queue",
        || async {
            let gate = Arc::new(Semaphore::new(0));
            let passed = gate.clone();
            let gatherer = Gatherer::spawn("stack", 8, move |inputs: Vec<u32>| {
                let gate = passed.clone();
                async move {
                    gate.acquire().await.unwrap().forget();
                    inputs
                }
            });
            let verb = [("batch_verb", "stack")];
            let first = tokio::spawn({
                let gatherer = gatherer.clone();
                async move { gatherer.call(1).await }
            });
            // Until the first is taken the queue holds it.
            while Arc::strong_count(&gate) < 3 {
                tokio::task::yield_now().await;
            }
            let rest = tokio::spawn({
                let gatherer = gatherer.clone();
                let rest: Vec<(Span, u32)> = (2..=4).map(|one| (Span::none(), one)).collect();
                async move { gatherer.call_many(rest).await }
            });
            while counted("batch_queue_depth", &verb) != 3.0 {
                tokio::task::yield_now().await;
            }
            gate.add_permits(2);
            first.await.unwrap().unwrap();
            assert!(rest.await.unwrap().iter().all(Result::is_ok));
            assert_eq!(counted("batch_size_count", &verb), 2.0);
            assert_eq!(counted("batch_size_sum", &verb), 4.0);
            assert_eq!(counted("batch_duration_seconds_count", &verb), 2.0);
            assert_eq!(counted("batch_queue_depth", &verb), 0.0);
        },
    );
}
