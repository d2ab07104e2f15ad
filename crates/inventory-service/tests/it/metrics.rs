//! What is counted is what happened, once.

use std::time::{Duration, Instant};

use rpc::Reason;
use testkit::metrics::{alone, counted, is_counted};

use crate::world::{Plan, World, call, fresh_key, order, refused, wish};

fn reservations(outcome: &str) -> f64 {
    counted("stock_reservations_total", &[("outcome", outcome)])
}

#[test]
fn reservations_are_counted_by_what_became_of_them_and_never_again() {
    alone(
        "metrics::reservations_are_counted_by_what_became_of_them_and_never_again",
        || async {
            let world = World::new().await;
            world.stocked("A", 10).await;
            let (order, key) = (order(), fresh_key());
            for _ in 0..3 {
                let wish = wish(&order, &[("A", 4)]);
                call!(world.client(), reserve, &key, wish).unwrap();
            }
            world.reserve(&order, &[("A", 4)]).await.unwrap();
            assert_eq!((reservations("held"), reservations("stood")), (1.0, 1.0));

            let key = fresh_key();
            for _ in 0..2 {
                let wish = wish(&crate::world::order(), &[("A", 7)]);
                let _ = call!(world.client(), reserve, &key, wish);
            }
            let short = world.reserve(&crate::world::order(), &[("A", 8)]).await;
            assert_eq!(refused(short), Reason::OutOfStock);
            assert_eq!(reservations("out_of_stock"), 2.0);
            assert_eq!(counted("stock_reservations_total", &[]), 4.0);
        },
    );
}

#[test]
fn each_promise_that_a_correction_breaks_is_a_shortfall() {
    alone(
        "metrics::each_promise_that_a_correction_breaks_is_a_shortfall",
        || async {
            let world = World::new().await;
            world.stocked("A", 10).await;
            for _ in 0..2 {
                world.committed(&[("A", 5)]).await;
            }
            world.adjust("A", -1, false).await.unwrap_err();
            assert_eq!(counted("stock_shortfalls_total", &[]), 0.0);
            world.adjust("A", -1, true).await.unwrap();
            assert_eq!(counted("stock_shortfalls_total", &[]), 1.0);
            world.assert_sound().await;
        },
    );
}

#[test]
fn every_invariant_is_shown_broken_or_not() {
    alone(
        "metrics::every_invariant_is_shown_broken_or_not",
        || async {
            let metrics = gauges::Settings {
                interval_s: 1,
                audit_interval_s: 1,
            };
            let world = World::of(Plan {
                metrics,
                ..Plan::default()
            });
            let world = world.await;
            world.stocked("A", 10).await;
            let shown = |invariant| is_counted("audit_violations", &[("invariant", invariant)]);
            let all = ["S1", "S2", "S3", "S4", "S5", "S6"];
            until(|| all.into_iter().all(shown)).await;
            assert_eq!(counted("audit_violations", &[]), 0.0);
            assert!(is_counted("audit_age_seconds", &[]));
            world.sql("update stock_levels set on_hand = 11").await;
            until(|| counted("audit_violations", &[("invariant", "S3")]) == 1.0).await;
        },
    );
}

async fn until(is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < end, "not so in time");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
