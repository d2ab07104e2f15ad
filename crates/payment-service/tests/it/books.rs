//! Whatever is asked in whatever order: no money is made or lost, and both
//! books agree.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use types::OrderId;

use crate::shop::{Shop, creation};

#[derive(Debug, Clone)]
enum Step {
    Create { method: usize },
    Capture { payment: usize, amount: Option<i64> },
    Refund { payment: usize, amount: Option<i64> },
    Void { payment: usize },
    VoidOrder { order: usize },
    LoseAnswers,
    Refuse,
}

const METHODS: [&str; 8] = [
    "pm_card_visa",
    "pm_card_mastercard",
    "pm_card_chargeDeclined",
    "pm_card_authenticationRequired",
    "pm_sim_dup_webhook",
    "pm_sim_webhook_first",
    "pm_sim_capture_fails",
    "pm_sim_refund_fails",
];

fn step() -> impl Strategy<Value = Step> {
    let amount = || proptest::option::of(1..1_200_i64);
    prop_oneof![
        4 => (0..METHODS.len()).prop_map(|method| Step::Create { method }),
        4 => (0..20_usize, amount()).prop_map(|(payment, amount)| Step::Capture { payment, amount }),
        4 => (0..20_usize, amount()).prop_map(|(payment, amount)| Step::Refund { payment, amount }),
        2 => (0..20_usize).prop_map(|payment| Step::Void { payment }),
        1 => (0..20_usize).prop_map(|order| Step::VoidOrder { order }),
        1 => Just(Step::LoseAnswers),
        1 => Just(Step::Refuse),
    ]
}

async fn play(shop: &Shop, rounds: Vec<Vec<Step>>) {
    let mut orders: Vec<OrderId> = Vec::new();
    let mut payments: Vec<String> = Vec::new();
    for round in rounds {
        let fresh: Vec<OrderId> = round.iter().map(|_| OrderId::generate()).collect();
        let steps = round.iter().zip(&fresh).map(|(step, order)| {
            let (orders, payments) = (&orders, &payments);
            async move { act(shop, step, *order, orders, payments).await }
        });
        // Outcomes are the other tests' business; here only the books count.
        futures::future::join_all(steps).await;
        for order in fresh {
            if let Ok(payment) = shop.of_order(order).await {
                orders.push(order);
                payments.push(payment.id);
            }
        }
    }
    shop.faults(json!({})).await;
}

async fn act(shop: &Shop, step: &Step, fresh: OrderId, orders: &[OrderId], payments: &[String]) {
    let payment = |index: usize| payments.get(index % payments.len().max(1));
    match step {
        Step::Create { method } => {
            let request = creation(fresh, 1, 1_000, METHODS[*method]);
            let _ = shop.create_keyed(&fresh.to_string(), request).await;
        }
        Step::Capture {
            payment: index,
            amount,
        } => {
            if let Some(id) = payment(*index) {
                let _ = shop.capture(id, *amount).await;
            }
        }
        Step::Refund {
            payment: index,
            amount,
        } => {
            if let Some(id) = payment(*index) {
                let _ = shop.refund(id, *amount).await;
            }
        }
        Step::Void { payment: index } => {
            if let Some(id) = payment(*index) {
                let _ = shop.void(id).await;
            }
        }
        Step::VoidOrder { order } => {
            if let Some(order) = orders.get(order % orders.len().max(1)) {
                let _ = shop.void_order(*order).await;
            }
        }
        Step::LoseAnswers => {
            shop.faults(json!({ "lose_answers": {
                "create_payment_intent": 1, "capture_payment_intent": 1, "create_refund": 1,
                "cancel_payment_intent": 1, "retrieve_payment_intent": 1
            } }))
            .await;
        }
        Step::Refuse => {
            shop.faults(json!({ "refuse": {
                "create_payment_intent": 1, "capture_payment_intent": 1, "create_refund": 1,
                "cancel_payment_intent": 1, "retrieve_payment_intent": 1
            }, "webhook_reorder_ms": 50 }))
                .await;
        }
    }
}

/// Nothing is unknown, pending or to be voided any more.
async fn settle(shop: &Shop) {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    let open = "select count(*) from payments
                where state in (1, 2) or capture_pending_minor > 0 or refund_pending_minor > 0
                   or (void_requested and state in (3, 4))";
    while shop.count(open).await > 0 {
        assert!(
            tokio::time::Instant::now() < deadline,
            "something stays open"
        );
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[test]
fn after_any_verbs_in_any_order_both_books_agree() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let shop = runtime.block_on(Shop::open());
    let mut runner = TestRunner::new(Config {
        cases: 12,
        max_shrink_iters: 20,
        failure_persistence: None,
        ..Config::default()
    });
    let rounds = proptest::collection::vec(proptest::collection::vec(step(), 1..12), 1..8);
    let result = runner.run(&rounds, |rounds| {
        runtime.block_on(async {
            play(&shop, rounds).await;
            settle(&shop).await;
            shop.assert_sound().await;
        });
        Ok(())
    });
    let _entered = runtime.enter();
    drop(shop);
    result.unwrap();
}
