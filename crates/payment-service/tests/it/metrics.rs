//! What is counted is what happened, once.

use std::time::{Duration, Instant};

use serde_json::json;
use testkit::metrics::{alone, counted, is_counted};
use types::OrderId;

use crate::shop::{Shop, Wishes, capturing, creation, refunding};
use crate::webhooks::{event, post};

#[test]
fn money_is_counted_where_it_moved_and_never_again() {
    alone(
        "metrics::money_is_counted_where_it_moved_and_never_again",
        || async {
            let shop = Shop::open_without_webhooks().await;
            let payment = shop.authorized().await;
            for _ in 0..2 {
                let part = capturing(&payment.id, Some(400));
                shop.capture_keyed("take", part).await.unwrap();
            }
            shop.capture(&payment.id, None).await.unwrap();
            for _ in 0..2 {
                let part = refunding(&payment.id, Some(150));
                shop.refund_keyed("give", part).await.unwrap();
            }
            let poor = "pm_card_chargeDeclinedInsufficientFunds";
            let attempt = creation(OrderId::generate(), 1, 1_000, poor);
            for _ in 0..2 {
                let declined = shop.create_keyed("buy", attempt.clone()).await;
                declined.unwrap_err();
            }
            let gbp = [("currency", "GBP")];
            assert_eq!(counted("payments_created_total", &[]), 2.0);
            assert_eq!(counted("payments_captured_total", &[]), 2.0);
            assert_eq!(counted("payment_captured_amount_total", &gbp), 1_000.0);
            assert_eq!(counted("payments_refunded_total", &[]), 1.0);
            assert_eq!(counted("payment_refunded_amount_total", &gbp), 150.0);
            let code = [("code", "insufficient_funds")];
            assert_eq!(counted("payments_failed_total", &code), 1.0);
            assert_eq!(counted("payments_failed_total", &[]), 1.0);
        },
    );
}

#[test]
fn webhooks_are_counted_by_what_became_of_them() {
    alone(
        "metrics::webhooks_are_counted_by_what_became_of_them",
        || async {
            let shop = Shop::open_without_webhooks().await;
            let method = "pm_card_authenticationRequired";
            let payment = shop.create(OrderId::generate(), method).await.unwrap();
            let mut intent = shop.intents_of(&payment.id).await.remove(0);
            intent["status"] = json!("requires_capture");
            intent["amount_capturable"] = json!(1_000);
            let kind = "payment_intent.amount_capturable_updated";
            let body = event("evt_1", kind, &intent);
            for _ in 0..3 {
                assert_eq!(post(&shop, body.clone()).await, 200);
            }
            assert_eq!(shop.post_webhook("t=1,v1=00", body).await, 400);
            intent["metadata"] = json!({});
            assert_eq!(post(&shop, event("evt_2", kind, &intent)).await, 200);
            intent["metadata"] = json!({ "payment_id": OrderId::generate().to_string() });
            assert_eq!(post(&shop, event("evt_3", kind, &intent)).await, 503);

            let webhooks = |outcome| counted("webhooks_received_total", &[("outcome", outcome)]);
            assert_eq!(webhooks("applied"), 1.0);
            assert_eq!(webhooks("known"), 2.0);
            assert_eq!(webhooks("refused"), 1.0);
            assert_eq!(webhooks("ignored"), 1.0);
            assert_eq!(webhooks("failed"), 1.0);
            assert_eq!(counted("webhooks_received_total", &[]), 6.0);
            let route = ("http_route", "/webhooks/{provider}");
            let refused = [route, ("http_response_status_code", "400")];
            assert_eq!(counted("http_requests_total", &refused), 1.0);
            assert_eq!(counted("http_requests_total", &[route]), 6.0);
        },
    );
}

#[test]
fn every_invariant_is_shown_broken_or_not() {
    alone(
        "metrics::every_invariant_is_shown_broken_or_not",
        || async {
            let shop = Shop::open_with(Wishes {
                metrics: gauges::Settings {
                    interval_s: 1,
                    audit_interval_s: 1,
                },
                ..Wishes::default()
            });
            let shop = shop.await;
            shop.captured_by("pm_card_visa").await;
            let shown = |invariant| is_counted("audit_violations", &[("invariant", invariant)]);
            let all = ["M1", "M2", "M3", "M5", "M6", "O6", "O8"];
            until(|| all.into_iter().all(shown)).await;
            assert_eq!(counted("audit_violations", &[]), 0.0);
            // Redis is not there: all that has happened waits.
            until(|| counted("outbox_depth", &[]) == 2.0).await;
            assert!(counted("outbox_lag_seconds", &[]) > 0.0);
            let spoilt = "update captures set amount_minor = amount_minor - 1";
            shop.execute(spoilt).await.unwrap();
            until(|| counted("audit_violations", &[("invariant", "M1")]) == 1.0).await;
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
