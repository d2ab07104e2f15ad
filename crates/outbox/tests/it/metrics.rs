//! What is counted of events, and what is shown of those that wait.

use crate::world::{Effects, GROUP, TOPIC, World, until};
use outbox::HandleError;
use testkit::metrics::{alone, counted, is_counted};
use uuid::Uuid;

fn processed(outcome: &str) -> f64 {
    let labels = [("stream", TOPIC), ("group", GROUP), ("outcome", outcome)];
    counted("events_processed_total", &labels)
}

#[test]
fn each_event_is_counted_by_what_became_of_it() {
    alone(
        "metrics::each_event_is_counted_by_what_became_of_it",
        || async {
            let world = World::new().await;
            let (sick, well) = (Uuid::now_v7(), Uuid::now_v7());
            world.append(sick, 1..=4).await;
            world.append(well, 1..=2).await;
            outbox::measure(&world.db, &[GROUP]).await.unwrap();
            assert_eq!(counted("outbox_depth", &[]), 6.0);
            assert!(counted("outbox_lag_seconds", &[]) > 0.0);
            assert!(is_counted("events_parked", &[("group", GROUP)]));
            assert_eq!(counted("events_parked", &[]), 0.0);

            let relay = world.relay();
            let consumer = world.consumer(
                "one",
                Effects::after(
                    move |event| match event.aggregate == sick && event.sequence == 2 {
                        true => Err(HandleError::failed("poison")),
                        false => Ok(()),
                    },
                ),
            );
            until("settled", async || {
                counted("events_processed_total", &[]) == 6.0
            })
            .await;
            relay.stop().await;
            consumer.stop().await;

            assert_eq!(counted("outbox_published_total", &[]), 6.0);
            assert_eq!(processed("handled"), 3.0);
            assert_eq!(processed("parked"), 1.0);
            assert_eq!(processed("waiting"), 2.0);
            outbox::measure(&world.db, &[GROUP]).await.unwrap();
            assert_eq!(counted("outbox_depth", &[]), 0.0);
            assert_eq!(counted("outbox_lag_seconds", &[]), 0.0);
            assert_eq!(counted("events_parked", &[("group", GROUP)]), 3.0);
        },
    );
}
