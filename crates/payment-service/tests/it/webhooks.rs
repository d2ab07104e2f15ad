//! Webhooks: signed, each once, in any order, before or after the answer.

use std::time::{SystemTime, UNIX_EPOCH};

use api::payment::v1::{PaymentState, TransferState};
use payment_service::http::sign;
use serde_json::{Value, json};
use types::OrderId;

use crate::shop::{OLD_SECRET, SECRET, Shop};

fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

pub fn event(id: &str, kind: &str, object: &Value) -> String {
    json!({ "id": id, "object": "event", "type": kind, "data": { "object": object } }).to_string()
}

pub async fn post(shop: &Shop, body: String) -> u16 {
    let signature = sign(SECRET, now_s(), body.as_bytes());
    shop.post_webhook(&signature, body).await
}

#[tokio::test]
async fn the_same_webhook_three_times_at_once_before_the_answer_is_one_transition() {
    for method in ["pm_sim_webhook_first", "pm_sim_dup_webhook"] {
        let shop = Shop::open().await;
        shop.faults(json!({ "webhook_copies": 3 })).await;
        let payment = shop.authorized_by(method).await;
        assert_eq!(payment.etag, "2", "{method}");
        shop.faults(json!({})).await;
        assert_eq!(
            shop.events_of(&payment.id).await,
            ["authorized"],
            "{method}"
        );
        let events = "select count(*) from webhook_events";
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
        while shop.count(events).await < 1 {
            assert!(tokio::time::Instant::now() < deadline);
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(shop.count(events).await, 1, "{method}");
        shop.assert_sound().await;
    }
}

#[tokio::test]
async fn many_copies_of_one_event_are_applied_once() {
    let shop = Shop::open_without_webhooks().await;
    let method = "pm_card_authenticationRequired";
    let payment = shop.create(OrderId::generate(), method).await.unwrap();
    let mut intent = shop.intents_of(&payment.id).await.remove(0);
    intent["status"] = json!("requires_capture");
    intent["amount_capturable"] = json!(1_000);
    let body = event("evt_1", "payment_intent.amount_capturable_updated", &intent);
    let posts = (0..12).map(|_| post(&shop, body.clone()));
    let answers = futures::future::join_all(posts).await;
    assert_eq!(answers, vec![200; 12]);
    assert_eq!(shop.count("select count(*) from webhook_events").await, 1);
    assert_eq!(
        shop.events_of(&payment.id).await,
        ["action_required", "authorized"]
    );
}

#[tokio::test]
async fn only_what_the_provider_signed_lately_is_taken() {
    let shop = Shop::open_without_webhooks().await;
    let payment = shop.authorized().await;
    let intent = shop.intents_of(&payment.id).await.remove(0);
    let body = event("evt_1", "payment_intent.amount_capturable_updated", &intent);
    let now = now_s();
    let bytes = body.as_bytes();
    let table = [
        (String::new(), 400),
        ("t=1,v1=00".to_owned(), 400),
        (sign("whsec_forged", now, bytes), 400),
        (sign(SECRET, now - 400, bytes), 400),
        (sign(SECRET, now + 400, bytes), 400),
        (sign(SECRET, now, b"another body"), 400),
        (sign(SECRET, now, bytes), 200),
        (sign(OLD_SECRET, now, bytes), 200),
    ];
    for (signature, status) in table {
        assert_eq!(
            shop.post_webhook(&signature, body.clone()).await,
            status,
            "{signature}"
        );
    }
    assert_eq!(shop.count("select count(*) from webhook_events").await, 1);
}

#[tokio::test]
async fn what_cannot_be_applied_is_to_be_sent_again_and_what_is_not_ours_is_not() {
    let shop = Shop::open_without_webhooks().await;
    let payment = shop.authorized().await;
    let mut intent = shop.intents_of(&payment.id).await.remove(0);
    intent["metadata"]["payment_id"] = json!(OrderId::generate().to_string());
    let unknown = event("evt_1", "payment_intent.succeeded", &intent);
    assert_eq!(post(&shop, unknown).await, 503);
    assert_eq!(shop.count("select count(*) from webhook_events").await, 0);

    intent["metadata"] = json!({});
    let foreign = event("evt_2", "payment_intent.succeeded", &intent);
    assert_eq!(post(&shop, foreign).await, 200);
    let customer = json!({ "object": "customer", "id": "cus_1" });
    assert_eq!(
        post(&shop, event("evt_3", "customer.created", &customer)).await,
        200
    );
    assert_eq!(post(&shop, "[]".to_owned()).await, 400);
    let elsewhere = shop.webhook_url.replace("stripe", "paypal");
    let reply = shop.http.post(elsewhere).body("{}").send().await.unwrap();
    assert_eq!(reply.status().as_u16(), 404);
    let huge = "x".repeat(1024 * 1024 + 1);
    let reply = shop.http.post(&shop.webhook_url).body(huge).send().await;
    assert!(reply.is_err() || reply.unwrap().status().as_u16() == 413);
    assert_eq!(shop.get(&payment.id).await, payment);
}

#[tokio::test]
async fn old_news_change_nothing_and_lead_to_a_question() {
    let shop = Shop::open_without_webhooks().await;
    let payment = shop.authorized().await;
    let authorized = shop.intents_of(&payment.id).await.remove(0);
    shop.void(&payment.id).await.unwrap();
    let late = event(
        "evt_late",
        "payment_intent.amount_capturable_updated",
        &authorized,
    );
    assert_eq!(post(&shop, late).await, 200);
    let found = shop.get(&payment.id).await;
    assert_eq!(found.state(), PaymentState::Voided);
    assert_eq!(shop.events_of(&payment.id).await, ["authorized", "voided"]);
    // The provider is asked, says the same as we do, and there is peace.
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    let open = "select count(*) from payments where next_check_at is not null";
    while shop.count(open).await > 0 {
        assert!(
            tokio::time::Instant::now() < deadline,
            "it is asked for ever"
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    shop.assert_sound().await;
}

#[tokio::test]
async fn an_authorization_that_runs_out_is_heard_of() {
    let shop = Shop::open_without_webhooks().await;
    let payment = shop.authorized().await;
    let mut intent = shop.intents_of(&payment.id).await.remove(0);
    intent["status"] = json!("canceled");
    intent["amount_capturable"] = json!(0);
    intent["cancellation_reason"] = json!("automatic");
    let body = event("evt_1", "payment_intent.canceled", &intent);
    assert_eq!(post(&shop, body).await, 200);
    let found = shop.get(&payment.id).await;
    assert_eq!(found.state(), PaymentState::Expired);
    assert_eq!(shop.events_of(&payment.id).await, ["authorized", "expired"]);
}

#[tokio::test]
async fn a_refund_that_comes_back_is_taken_out_of_the_books() {
    let shop = Shop::open_without_webhooks().await;
    let payment = shop.captured_by("pm_card_visa").await;
    let made = shop
        .refund(&payment.id, Some(400))
        .await
        .unwrap()
        .refund
        .unwrap();
    let refund = json!({
        "id": "re_1", "object": "refund", "amount": 400, "status": "failed",
        "failure_reason": "lost_or_stolen_card",
        "metadata": { "payment_id": payment.id, "refund_id": made.id },
    });
    assert_eq!(
        post(&shop, event("evt_1", "refund.failed", &refund)).await,
        200
    );
    let found = shop.get(&payment.id).await;
    assert_eq!(found.refunds[0].state(), TransferState::Failed);
    assert_eq!(found.refunds[0].failure_code, "lost_or_stolen_card");
    assert_eq!(found.refunded.unwrap().minor_units, 0);
    assert_eq!(
        shop.count("select count(*) from ledger_entries where reversal")
            .await,
        2
    );
    assert_eq!(
        shop.events_of(&payment.id).await,
        ["authorized", "captured", "refunded", "refund_failed"]
    );
    let findings = shop.audit().await;
    for invariant in ["M1", "M2", "M3", "M5", "M6", "O6", "O8"] {
        assert_eq!(findings[invariant].0, 0, "{invariant}");
    }
}

#[tokio::test]
async fn an_intent_that_is_not_the_payments_own_changes_nothing() {
    let shop = Shop::open_without_webhooks().await;
    let payment = shop.authorized().await;
    let mut intent = shop.intents_of(&payment.id).await.remove(0);
    intent["id"] = json!("pi_of_somebody_else");
    intent["status"] = json!("canceled");
    let body = event("evt_1", "payment_intent.canceled", &intent);
    assert_eq!(post(&shop, body).await, 200);
    assert_eq!(
        shop.get(&payment.id).await.state(),
        PaymentState::Authorized
    );
}
