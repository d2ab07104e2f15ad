//! What is counted is what happened, once; what is shown is what stands.

use std::time::{Duration, Instant};

use api::order::v1 as pb;
use pb::OrderState;
use testkit::metrics::{alone, counted, is_counted};

use crate::fakes::faults::Fault;
use crate::shop::{PATIENCE, Shop, basket, fresh_key};

#[test]
fn orders_are_counted_by_what_became_of_them_and_never_again() {
    alone(
        "metrics::orders_are_counted_by_what_became_of_them_and_never_again",
        || async {
            let shop = Shop::open().await;
            let key = fresh_key();
            let order = shop.create_with_key(&key, basket()).await.unwrap();
            shop.create_with_key(&key, basket()).await.unwrap();
            shop.rests_in(&order.id, OrderState::Confirmed).await;
            shop.cancel(&order.id).await.unwrap();
            shop.cancel(&order.id).await.unwrap();
            shop.create_with_key(&key, basket()).await.unwrap();

            let mut too_much = basket();
            too_much.lines[1].quantity = 1001;
            let key = fresh_key();
            for _ in 0..3 {
                let order = shop.create_with_key(&key, too_much.clone()).await;
                order.unwrap_err();
            }

            assert_eq!(counted("orders_created_total", &[]), 2.0);
            assert_eq!(counted("orders_confirmed_total", &[]), 1.0);
            assert_eq!(counted("orders_cancelled_total", &[]), 1.0);
            let reason = [("reason", "OUT_OF_STOCK")];
            assert_eq!(counted("orders_rejected_total", &reason), 1.0);
            assert_eq!(counted("orders_rejected_total", &[]), 1.0);
            let currency = [("currency", "GBP")];
            assert_eq!(counted("order_amount_count", &currency), 1.0);
            assert_eq!(counted("order_amount_sum", &currency), 750.0);
            let kind = [("kind", "replayed")];
            assert_eq!(counted("idempotency_answers_total", &kind), 4.0);
        },
    );
}

#[test]
fn a_saga_that_another_process_goes_on_with_counts_as_claimed() {
    alone(
        "metrics::a_saga_that_another_process_goes_on_with_counts_as_claimed",
        || async {
            let mut shop = Shop::open().await;
            shop.fakes.faults.arm("Reserve", &[Fault::HangBefore]);
            tokio::select! {
                _ = shop.create(basket()) => panic!("the reservation hangs"),
                () = shop.fakes.faults.hangs() => {}
            }
            assert_eq!(counted("sagas_running", &[]), 1.0);
            assert_eq!(counted("sagas_claimed_total", &[]), 0.0);
            shop.restart().await;
            let order = shop.only_order().await;
            shop.rests_in(&order.id, OrderState::Confirmed).await;
            assert_eq!(counted("sagas_claimed_total", &[]), 1.0);
            assert_eq!(counted("orders_created_total", &[]), 1.0);
            assert_eq!(counted("orders_confirmed_total", &[]), 1.0);
        },
    );
}

#[test]
fn gauges_show_what_stands_in_the_database() {
    alone(
        "metrics::gauges_show_what_stands_in_the_database",
        || async {
            let mut shop = Shop::open().await;
            shop.confirmed(basket()).await;
            shop.metrics = gauges::Settings {
                interval_s: 1,
                audit_interval_s: 1,
            };
            shop.restart().await;
            let sound = |invariant| is_counted("audit_violations", &[("invariant", invariant)]);
            let all = ["O1", "O2", "O3", "O4", "O5", "O6", "O7", "O8"];
            until(|| all.into_iter().all(sound)).await;
            assert_eq!(counted("audit_violations", &[]), 0.0);
            until(|| is_counted("sagas_needing_attention", &[])).await;
            assert_eq!(counted("sagas_needing_attention", &[]), 0.0);
            assert!(is_counted("outbox_depth", &[]) && is_counted("outbox_lag_seconds", &[]));
            assert!(is_counted("events_parked", &[("group", "order-service")]));

            // As no code of ours would do it.
            spoil(&shop, "update orders set payment = 4").await;
            until(|| counted("audit_violations", &[("invariant", "O2")]) == 1.0).await;
            assert_eq!(counted("audit_violations", &[("invariant", "O3")]), 0.0);
            spoil(&shop, "update orders set state = 9, stopped_in = 3").await;
            until(|| counted("sagas_needing_attention", &[]) == 1.0).await;
        },
    );
}

async fn spoil(shop: &Shop, statement: &'static str) {
    let mut conn = shop.store.db.acquire().await.unwrap();
    let spoilt = sqlx::query(statement).execute(&mut *conn).await.unwrap();
    assert_eq!(spoilt.rows_affected(), 1);
}

async fn until(is_so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "not so in time");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
