//! What was left open is ended without being asked for.

use api::payment::v1::PaymentState;
use rpc::Reason;
use serde_json::json;
use types::OrderId;

use crate::shop::{Shop, capturing, creation, reason, refunding};

#[tokio::test]
async fn everything_that_waited_for_the_provider_is_settled_when_it_is_back() {
    let mut shop = Shop::open_without_webhooks().await;
    let authorized = shop.authorized().await;
    let captured = shop.captured_by("pm_card_visa").await;
    let order = OrderId::generate();
    shop.provider_down().await;
    let create = creation(order, 1, 1_000, "pm_card_visa");
    assert_eq!(
        reason(shop.create_keyed("create", create.clone()).await),
        Reason::OutcomeUnknown
    );
    let capture = capturing(&authorized.id, None);
    assert_eq!(
        reason(shop.capture_keyed("capture", capture.clone()).await),
        Reason::OutcomeUnknown
    );
    let refund = refunding(&captured.id, Some(600));
    assert_eq!(
        reason(shop.refund_keyed("refund", refund.clone()).await),
        Reason::OutcomeUnknown
    );
    shop.provider_up().await;
    let created = shop.of_order(order).await.unwrap();
    shop.wait_for_state(&created.id, PaymentState::Authorized)
        .await;
    shop.wait_for_state(&authorized.id, PaymentState::Captured)
        .await;
    shop.wait_for(&captured.id, |found| {
        found.refunded.as_ref().unwrap().minor_units == 600
    })
    .await;
    // The keys have their answers, though nobody asked.
    assert_eq!(
        shop.count("select count(*) from idempotency_keys where state = 1")
            .await,
        0
    );
    shop.create_keyed("create", create).await.unwrap();
    shop.capture_keyed("capture", capture).await.unwrap();
    shop.refund_keyed("refund", refund).await.unwrap();
    assert_eq!(shop.their_total("gbp", "captured_count").await, 2);
    assert_eq!(shop.their_total("gbp", "refund_count").await, 1);
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_payment_whose_key_the_provider_forgot_is_looked_for_and_never_made_twice() {
    let mut shop = Shop::open_without_webhooks().await;
    let order = OrderId::generate();
    let lost = shop.create(order, "pm_sim_timeout_but_succeeded").await;
    assert_eq!(reason(lost), Reason::OutcomeUnknown);
    shop.provider_down().await;
    let never = OrderId::generate();
    let lost = shop.create(never, "pm_card_visa").await;
    assert_eq!(reason(lost), Reason::OutcomeUnknown);
    shop.execute("update payments set created_at = now() - interval '21 hours'")
        .await
        .unwrap();
    shop.provider_up().await;
    let found = shop.of_order(order).await.unwrap();
    shop.wait_for_state(&found.id, PaymentState::Authorized)
        .await;
    let missing = shop.of_order(never).await.unwrap();
    let missing = shop.wait_for_state(&missing.id, PaymentState::Failed).await;
    assert_eq!(missing.decline_code, "never_reached_provider");
    assert_eq!(shop.events_of(&missing.id).await, ["failed"]);
    assert_eq!(shop.their_total("gbp", "intents").await, 1);
    shop.assert_sound().await;
}

#[tokio::test]
async fn transfers_whose_keys_the_provider_forgot_are_looked_for() {
    let mut shop = Shop::open_without_webhooks().await;
    let made = shop.authorized().await;
    let never = shop.authorized().await;
    let refunded = shop.captured_by("pm_card_visa").await;
    let unrefunded = shop.captured_by("pm_card_visa").await;
    shop.faults(
        json!({ "lose_answers": { "capture_payment_intent": 1, "create_refund": 1 },
        "refuse": { "retrieve_payment_intent": 1000 } }),
    )
    .await;
    assert!(shop.capture(&made.id, None).await.is_err());
    assert!(shop.refund(&refunded.id, Some(100)).await.is_err());
    shop.provider_down().await;
    assert!(shop.capture(&never.id, None).await.is_err());
    assert!(shop.refund(&unrefunded.id, Some(100)).await.is_err());
    for statement in [
        "update captures set created_at = now() - interval '21 hours' where state = 1",
        "update refunds set created_at = now() - interval '21 hours' where state = 1",
    ] {
        shop.execute(statement).await.unwrap();
    }
    shop.provider_up().await;
    shop.wait_for_state(&made.id, PaymentState::Captured).await;
    shop.wait_for(&refunded.id, |found| {
        found.refunded.as_ref().unwrap().minor_units == 100
    })
    .await;
    let found = shop
        .wait_for(&never.id, |found| {
            found.capture_pending.as_ref().unwrap().minor_units == 0
        })
        .await;
    assert_eq!(found.state(), PaymentState::Authorized);
    assert_eq!(found.captures[0].failure_code, "never_reached_provider");
    let found = shop
        .wait_for(&unrefunded.id, |found| {
            found.refund_pending.as_ref().unwrap().minor_units == 0
        })
        .await;
    assert_eq!(found.refunds[0].failure_code, "never_reached_provider");
    shop.assert_sound().await;
}

#[tokio::test]
async fn money_held_for_a_payment_that_has_ended_is_given_back() {
    let shop = Shop::open_without_webhooks().await;
    let payment = shop.authorized().await;
    shop.execute(
        "update payments
         set state = 10, authorized_minor = 0, next_check_at = now()",
    )
    .await
    .unwrap();
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    while shop.their_total("gbp", "capturable_minor").await > 0 {
        assert!(
            tokio::time::Instant::now() < deadline,
            "{} is still held",
            payment.id
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    shop.assert_sound().await;
}

#[tokio::test]
async fn what_was_cancelled_by_hand_at_the_provider_is_seen() {
    let shop = Shop::open().await;
    let payment = shop.authorized().await;
    let path = format!("/v1/payment_intents/{}/cancel", payment.provider_reference);
    shop.provider_post(&path, &[]).await;
    shop.wait_for_state(&payment.id, PaymentState::Voided).await;
    shop.assert_sound().await;
}
