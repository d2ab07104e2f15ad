//! Every named payment method does what its name says.

use std::time::{Duration, Instant};

use crate::receiver::Receiver;
use crate::shop::{Shop, automatic, eventually, manual};

#[tokio::test]
async fn a_good_card_is_authorized_and_then_captured() {
    let shop = Shop::open().await;
    for method in ["pm_card_visa", "pm_card_mastercard", "pm_card_amex"] {
        let authorized = shop.authorize(method).await.expect(200).json();
        assert_eq!(authorized["object"], "payment_intent");
        assert_eq!(authorized["status"], "requires_capture");
        assert_eq!(authorized["amount_capturable"], 1000);
        assert_eq!(authorized["amount_received"], 0);
        assert_eq!(authorized["payment_method"], method);
        assert!(
            authorized["latest_charge"]
                .as_str()
                .unwrap()
                .starts_with("ch_")
        );
        let id = authorized["id"].as_str().unwrap();
        let path = format!("/v1/payment_intents/{id}/capture");
        let captured = shop.post(&path, &[]).await.expect(200).json();
        assert_eq!(captured["status"], "succeeded");
        assert_eq!(captured["amount_capturable"], 0);
        assert_eq!(captured["amount_received"], 1000);
    }
}

#[tokio::test]
async fn automatic_capture_takes_the_money_at_once() {
    let shop = Shop::open().await;
    let form = automatic("pm_card_visa");
    let paid = shop
        .post("/v1/payment_intents", &form)
        .await
        .expect(200)
        .json();
    assert_eq!(paid["status"], "succeeded");
    assert_eq!(paid["amount_received"], 1000);
}

#[tokio::test]
async fn a_declined_card_is_told_with_its_code_and_another_may_be_tried() {
    let shop = Shop::open().await;
    let declines = [
        (
            "pm_card_chargeDeclined",
            "card_declined",
            Some("generic_decline"),
        ),
        (
            "pm_card_chargeDeclinedInsufficientFunds",
            "card_declined",
            Some("insufficient_funds"),
        ),
        (
            "pm_card_chargeDeclinedFraudulent",
            "card_declined",
            Some("fraudulent"),
        ),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
        (
            "pm_card_chargeDeclinedProcessingError",
            "processing_error",
            None,
        ),
    ];
    for (method, code, decline_code) in declines {
        let error = &shop.authorize(method).await.expect(402).json()["error"];
        assert_eq!(error["type"], "card_error", "{method}");
        assert_eq!(error["code"], code, "{method}");
        assert_eq!(error["decline_code"].as_str(), decline_code, "{method}");
        let intent = &error["payment_intent"];
        assert_eq!(intent["status"], "requires_payment_method");
        assert_eq!(intent["last_payment_error"]["code"], code);
        assert_eq!(intent["last_payment_error"]["payment_method"]["id"], method);
        let id = intent["id"].as_str().unwrap();
        let again = [("payment_method", "pm_card_visa")];
        let path = format!("/v1/payment_intents/{id}/confirm");
        let confirmed = shop.post(&path, &again).await.expect(200).json();
        assert_eq!(confirmed["status"], "requires_capture");
        assert!(confirmed["last_payment_error"].is_null());
    }
}

#[tokio::test]
async fn a_challenge_waits_for_the_customer() {
    let shop = Shop::open().await;
    let method = "pm_card_authenticationRequired";
    for (outcome, status) in [
        ("succeeded", "requires_capture"),
        ("failed", "requires_payment_method"),
    ] {
        let challenged = shop.authorize(method).await.expect(200);
        assert_eq!(challenged.json()["status"], "requires_action");
        let action = &challenged.json()["next_action"];
        assert_eq!(action["type"], "redirect_to_url");
        let id = challenged.id();
        let url = action["redirect_to_url"]["url"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(
            url,
            shop.url(&format!("/_simulator/payment_intents/{id}/complete_action"))
        );
        let path = format!("/v1/payment_intents/{id}/capture");
        shop.post(&path, &[]).await.expect(400);
        let order = format!("/_simulator/payment_intents/{id}/complete_action");
        let done = shop.post(&order, &[("outcome", outcome)]).await.expect(200);
        assert_eq!(done.json()["status"], status);
        assert!(done.json()["next_action"].is_null());
        let late = shop.post(&order, &[]).await.expect(400).json();
        assert_eq!(late["error"]["code"], "payment_intent_unexpected_state");
    }
}

#[tokio::test]
async fn with_manual_confirmation_the_shop_confirms_once_more_after_the_challenge() {
    let shop = Shop::open().await;
    let mut form = manual("pm_card_authenticationRequired").to_vec();
    form.push(("confirmation_method", "manual"));
    let id = shop
        .post("/v1/payment_intents", &form)
        .await
        .expect(200)
        .id();
    let order = format!("/_simulator/payment_intents/{id}/complete_action");
    let passed = shop.post(&order, &[]).await.expect(200).json();
    assert_eq!(passed["status"], "requires_confirmation");
    let path = format!("/v1/payment_intents/{id}/confirm");
    let confirmed = shop.post(&path, &[]).await.expect(200).json();
    assert_eq!(confirmed["status"], "requires_capture");
}

#[tokio::test]
async fn timeout_but_succeeded_is_booked_and_told_to_the_repeat() {
    let shop = Shop::open().await;
    let form = manual("pm_sim_timeout_but_succeeded");
    let path = "/v1/payment_intents";
    let lost = shop.post_impatiently(path, &form, "k1").await.unwrap_err();
    assert!(lost.is_timeout(), "{lost}");
    assert_eq!(shop.totals().await["gbp"]["authorized_count"], 1);
    let told = shop.post_keyed(path, &form, "k1").await;
    assert!(told.replayed);
    assert_eq!(told.expect(200).json()["status"], "requires_capture");
    assert_eq!(shop.totals().await["gbp"]["authorized_count"], 1);
}

#[tokio::test]
async fn timeout_and_failed_tells_the_decline_to_the_repeat() {
    let shop = Shop::open().await;
    let form = manual("pm_sim_timeout_and_failed");
    let path = "/v1/payment_intents";
    let lost = shop.post_impatiently(path, &form, "k1").await.unwrap_err();
    assert!(lost.is_timeout(), "{lost}");
    let told = shop.post_keyed(path, &form, "k1").await;
    assert!(told.replayed);
    assert_eq!(told.expect(402).json()["error"]["code"], "card_declined");
    assert_eq!(shop.totals().await["gbp"]["authorized_count"], 0);
}

#[tokio::test]
async fn a_held_connection_is_closed_in_the_end() {
    let shop = Shop::open_with(|settings| settings.api.hold_ms_max = 300).await;
    let form = manual("pm_sim_timeout_but_succeeded");
    let began = Instant::now();
    let lost = shop
        .try_post("/v1/payment_intents", &form, None)
        .await
        .unwrap_err();
    assert!(!lost.is_timeout(), "{lost}");
    assert!(began.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn a_slow_bank_takes_two_seconds_and_its_key_is_in_use_meanwhile() {
    let shop = Shop::open().await;
    let form = manual("pm_sim_slow_2s");
    let path = "/v1/payment_intents";
    let began = Instant::now();
    let (slow, meanwhile) = tokio::join!(shop.post_keyed(path, &form, "k1"), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        shop.post_keyed(path, &form, "k1").await
    });
    assert_eq!(slow.expect(200).json()["status"], "requires_capture");
    assert!(began.elapsed() >= Duration::from_secs(2));
    let error = &meanwhile.expect(409).json()["error"];
    assert_eq!(error["type"], "idempotency_error");
    assert_eq!(error["code"], "idempotency_key_in_use");
}

#[tokio::test]
async fn dup_webhook_sends_each_event_three_times_at_once() {
    let receiver = Receiver::start().await;
    receiver.answer_after(Duration::from_millis(500));
    let url = receiver.url();
    let shop = Shop::open_with(|settings| settings.webhooks.url = Some(url)).await;
    shop.authorize("pm_sim_dup_webhook").await.expect(200);
    eventually("three copies are under way", async || {
        receiver.got().len() == 3
    })
    .await;
    assert_eq!(receiver.acknowledged(), 0, "sent one after the other");
    let got = receiver.got();
    assert!(got.iter().all(|copy| copy.body == got[0].body));
}

#[tokio::test]
async fn webhook_first_is_acknowledged_before_the_call_is_answered() {
    let receiver = Receiver::start().await;
    receiver.answer_after(Duration::from_millis(200));
    receiver.refuse(1);
    let url = receiver.url();
    let shop = Shop::open_with(|settings| settings.webhooks.url = Some(url)).await;
    let authorized = shop.authorize("pm_sim_webhook_first").await.expect(200);
    assert_eq!(receiver.acknowledged(), 1);
    assert_eq!(
        receiver.kinds()[0],
        "payment_intent.amount_capturable_updated"
    );
    assert_eq!(
        receiver.got()[0].event()["data"]["object"]["id"],
        authorized.id()
    );
}

#[tokio::test]
async fn capture_fails_authorizes_and_refuses_the_capture_for_good() {
    let shop = Shop::open().await;
    let id = shop
        .authorize("pm_sim_capture_fails")
        .await
        .expect(200)
        .id();
    let path = format!("/v1/payment_intents/{id}/capture");
    let refused = shop.post_keyed(&path, &[], "k1").await.expect(400);
    assert_eq!(
        refused.json()["error"]["code"],
        "charge_expired_for_capture"
    );
    let again = shop.post_keyed(&path, &[], "k1").await;
    assert!(again.replayed);
    assert_eq!(again.body, refused.body);
    let path = format!("/v1/payment_intents/{id}/cancel");
    let canceled = shop.post(&path, &[]).await.expect(200).json();
    assert_eq!(canceled["status"], "canceled");
}

#[tokio::test]
async fn capture_timeout_but_succeeded_captures_once() {
    let shop = Shop::open().await;
    let method = "pm_sim_capture_timeout_but_succeeded";
    let id = shop.authorize(method).await.expect(200).id();
    let path = format!("/v1/payment_intents/{id}/capture");
    let lost = shop.post_impatiently(&path, &[], "k1").await.unwrap_err();
    assert!(lost.is_timeout(), "{lost}");
    let told = shop.post_keyed(&path, &[], "k1").await;
    assert!(told.replayed);
    assert_eq!(told.expect(200).json()["amount_received"], 1000);
    assert_eq!(shop.totals().await["gbp"]["captured_minor"], 1000);
}

#[tokio::test]
async fn an_unknown_method_is_refused_by_name() {
    let shop = Shop::open().await;
    let error = &shop.authorize("pm_card_nobody").await.expect(400).json()["error"];
    assert_eq!(error["code"], "resource_missing");
    assert_eq!(error["param"], "payment_method");
    assert_eq!(shop.totals().await, serde_json::json!({}));
}
