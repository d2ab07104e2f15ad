//! Faults for every call.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::shop::{Shop, automatic, manual};

const PATH: &str = "/v1/payment_intents";

#[tokio::test]
async fn lost_answers_are_booked_and_their_keys_replay() {
    let shop = Shop::open().await;
    for how in ["drop", "hang"] {
        let form = automatic("pm_card_visa");
        shop.set_faults(json!({"lose_answers": {"create_payment_intent": 1}, "lose_by": how}))
            .await;
        let lost = shop.post_impatiently(PATH, &form, how).await.unwrap_err();
        assert_eq!(lost.is_timeout(), how == "hang", "{lost}");
        let told = shop.post_keyed(PATH, &form, how).await;
        assert!(told.replayed);
        assert_eq!(told.expect(200).json()["status"], "succeeded");
    }
    assert_eq!(shop.totals().await["gbp"]["captured_minor"], 2000);
}

#[tokio::test]
async fn each_operation_loses_its_own_answers() {
    let shop = Shop::open().await;
    let id = shop.authorize("pm_card_visa").await.expect(200).id();
    shop.set_faults(json!({"lose_answers": {
        "capture_payment_intent": 1,
        "create_refund": 1,
        "retrieve_payment_intent": 1,
    }}))
    .await;
    let capture = format!("{PATH}/{id}/capture");
    shop.try_post(&capture, &[], Some("c")).await.unwrap_err();
    let refund = [("payment_intent", id.as_str()), ("amount", "600")];
    shop.try_post("/v1/refunds", &refund, Some("r"))
        .await
        .unwrap_err();
    let retrieve = shop.client.get(shop.url(&format!("{PATH}/{id}")));
    retrieve
        .bearer_auth(crate::shop::API_KEY)
        .send()
        .await
        .unwrap_err();
    assert!(
        shop.post_keyed(&capture, &[], "c")
            .await
            .expect(200)
            .replayed
    );
    assert!(
        shop.post_keyed("/v1/refunds", &refund, "r")
            .await
            .expect(200)
            .replayed
    );
    let totals = shop.totals().await;
    assert_eq!(totals["gbp"]["captured_minor"], 1000);
    assert_eq!(totals["gbp"]["refunded_minor"], 600);
}

#[tokio::test]
async fn refusals_come_before_anything_is_booked_and_leave_the_key_free() {
    let shop = Shop::open().await;
    shop.set_faults(json!({"refuse": {"create_payment_intent": 2}}))
        .await;
    let form = manual("pm_card_visa");
    for _ in 0..2 {
        let refused = shop.post_keyed(PATH, &form, "k1").await.expect(500);
        assert_eq!(refused.json()["error"]["type"], "api_error");
    }
    assert_eq!(shop.totals().await, json!({}));
    assert!(
        !shop
            .post_keyed(PATH, &form, "k1")
            .await
            .expect(200)
            .replayed
    );
}

#[tokio::test]
async fn a_delay_meets_every_call_until_the_faults_end() {
    let shop = Shop::open().await;
    shop.set_faults(json!({"delay_ms": 1000})).await;
    let began = Instant::now();
    shop.authorize("pm_card_visa").await.expect(200);
    assert!(began.elapsed() >= Duration::from_millis(1000));
    shop.set_faults(json!({})).await;
    let began = Instant::now();
    shop.authorize("pm_card_visa").await.expect(200);
    assert!(began.elapsed() < Duration::from_millis(1000));
}

#[tokio::test]
async fn unknown_faults_are_refused() {
    let shop = Shop::open().await;
    for body in [
        r#"{"delay": 1}"#,
        r#"{"refuse": {"everything": 1}}"#,
        "no json",
    ] {
        let request = shop.client.post(shop.url("/_simulator/faults"));
        let request = request.bearer_auth(crate::shop::API_KEY).body(body);
        assert_eq!(request.send().await.unwrap().status(), 400, "{body}");
    }
}
