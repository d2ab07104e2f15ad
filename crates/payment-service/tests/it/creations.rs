//! Authorizing: what each payment method of the provider comes to.

use std::time::Duration;

use api::payment::v1::PaymentState;
use rpc::Reason;
use serde_json::json;
use types::OrderId;

use crate::shop::{Shop, creation, decline_code, reason};

#[tokio::test]
async fn a_good_card_is_authorized_once_and_told_once() {
    let shop = Shop::open().await;
    let payment = shop.authorized().await;
    assert_eq!(payment.authorized.as_ref().unwrap().minor_units, 1_000);
    assert!(payment.provider_reference.starts_with("pi_"));
    assert_eq!(shop.intents_of(&payment.id).await.len(), 1);
    assert_eq!(shop.events_of(&payment.id).await, ["authorized"]);
    shop.assert_sound().await;
}

#[tokio::test]
async fn every_declining_method_is_declined_with_its_code() {
    let shop = Shop::open().await;
    let table = [
        ("pm_card_chargeDeclined", "generic_decline"),
        (
            "pm_card_chargeDeclinedInsufficientFunds",
            "insufficient_funds",
        ),
        ("pm_card_chargeDeclinedFraudulent", "fraudulent"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error"),
        ("pm_card_of_nobody", "resource_missing"),
    ];
    for (method, code) in table {
        let order = OrderId::generate();
        let declined = shop.create(order, method).await;
        assert_eq!(decline_code(declined.clone()), code, "{method}");
        assert_eq!(reason(declined), Reason::PaymentDeclined, "{method}");
        let payment = shop.of_order(order).await.unwrap();
        assert_eq!(payment.state(), PaymentState::Declined);
        assert_eq!(payment.decline_code, code);
        assert_eq!(shop.events_of(&payment.id).await, ["declined"]);
    }
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_declined_order_may_be_paid_by_a_second_attempt() {
    let shop = Shop::open().await;
    let order = OrderId::generate();
    assert!(shop.create(order, "pm_card_chargeDeclined").await.is_err());
    let second = creation(order, 2, 1_000, "pm_card_mastercard");
    let payment = shop.create_keyed("second", second).await.unwrap();
    assert_eq!(payment.state(), PaymentState::Authorized);
    assert_eq!(shop.of_order(order).await.unwrap().id, payment.id);
    shop.assert_sound().await;
}

#[tokio::test]
async fn an_order_has_at_most_one_live_payment() {
    let shop = Shop::open().await;
    let order = OrderId::generate();
    shop.create(order, "pm_card_visa").await.unwrap();
    let second = creation(order, 2, 1_000, "pm_card_visa");
    let refused = shop.create_keyed("second", second).await;
    assert_eq!(reason(refused), Reason::PaymentExists);
    let other_amount = creation(order, 1, 2_000, "pm_card_visa");
    let refused = shop.create_keyed("other", other_amount).await;
    assert_eq!(reason(refused), Reason::PaymentExists);
    shop.assert_sound().await;
}

#[tokio::test]
async fn of_many_attempts_at_once_one_is_made() {
    let shop = Shop::open().await;
    let order = OrderId::generate();
    let attempts = (1..=20).map(|attempt| {
        let shop = &shop;
        async move {
            let request = creation(order, attempt, 1_000, "pm_card_visa");
            shop.create_keyed(&format!("attempt {attempt}"), request)
                .await
        }
    });
    let results = futures::future::join_all(attempts).await;
    let (made, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!(made.len(), 1);
    for refusal in refused {
        assert_eq!(reason(refusal), Reason::PaymentExists);
    }
    assert_eq!(shop.their_total("gbp", "authorized_count").await, 1);
    shop.assert_sound().await;
}

#[tokio::test]
async fn the_same_attempt_under_another_key_is_the_same_payment() {
    let shop = Shop::open().await;
    let order = OrderId::generate();
    let first = shop.create(order, "pm_card_visa").await.unwrap();
    let request = creation(order, 1, 1_000, "pm_card_visa");
    let again = shop.create_keyed("another key", request).await.unwrap();
    assert_eq!(again.id, first.id);
    let order = OrderId::generate();
    assert!(shop.create(order, "pm_card_chargeDeclined").await.is_err());
    let request = creation(order, 1, 1_000, "pm_card_chargeDeclined");
    let again = shop.create_keyed("yet another key", request).await;
    assert_eq!(reason(again), Reason::PaymentDeclined);
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_the_same_key_finds_the_authorization() {
    let shop = Shop::open_without_webhooks().await;
    let order = OrderId::generate();
    let lost = shop.create(order, "pm_sim_timeout_but_succeeded").await;
    assert_eq!(reason(lost), Reason::OutcomeUnknown);
    let found = shop
        .create(order, "pm_sim_timeout_but_succeeded")
        .await
        .unwrap();
    assert_eq!(found.state(), PaymentState::Authorized);
    assert_eq!(shop.intents_of(&found.id).await.len(), 1);
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_the_same_key_finds_the_decline() {
    let shop = Shop::open_without_webhooks().await;
    let order = OrderId::generate();
    let lost = shop.create(order, "pm_sim_timeout_and_failed").await;
    assert_eq!(reason(lost), Reason::OutcomeUnknown);
    let found = shop.create(order, "pm_sim_timeout_and_failed").await;
    assert_eq!(reason(found), Reason::PaymentDeclined);
    shop.assert_sound().await;
}

#[tokio::test]
async fn an_unknown_outcome_is_found_out_without_being_asked_again() {
    let shop = Shop::open_without_webhooks().await;
    let table = [
        ("pm_sim_timeout_but_succeeded", PaymentState::Authorized),
        ("pm_sim_timeout_and_failed", PaymentState::Declined),
    ];
    for (method, state) in table {
        let order = OrderId::generate();
        let lost = shop.create(order, method).await;
        assert_eq!(reason(lost), Reason::OutcomeUnknown);
        let payment = shop.of_order(order).await.unwrap();
        shop.wait_for_state(&payment.id, state).await;
    }
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_refusal_before_anything_is_booked_is_repeated_with_the_same_key() {
    let shop = Shop::open().await;
    shop.faults(json!({ "refuse": { "create_payment_intent": 1 } }))
        .await;
    let order = OrderId::generate();
    let failed = shop.create(order, "pm_card_visa").await;
    assert_eq!(reason(failed), Reason::OutcomeUnknown);
    let payment = shop.create(order, "pm_card_visa").await.unwrap();
    assert_eq!(payment.state(), PaymentState::Authorized);
    assert_eq!(shop.intents_of(&payment.id).await.len(), 1);
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_slow_provider_is_waited_for() {
    let wishes = crate::shop::Wishes {
        provider_timeout_ms: 8_000,
        ..Default::default()
    };
    let shop = Shop::open_with(wishes).await;
    let payment = shop.authorized_by("pm_sim_slow_2s").await;
    assert_eq!(shop.events_of(&payment.id).await, ["authorized"]);
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_caller_in_a_hurry_is_told_that_the_outcome_is_unknown_and_the_work_goes_on() {
    let wishes = crate::shop::Wishes {
        provider_timeout_ms: 8_000,
        ..Default::default()
    };
    let shop = Shop::open_with(wishes).await;
    let order = OrderId::generate();
    let message = creation(order, 1, 1_000, "pm_sim_slow_2s");
    let mut request = crate::shop::keyed("hurry", message.clone());
    request.set_timeout(Duration::from_secs(1));
    let hurried = shop.client.clone().create_payment(request).await;
    assert_eq!(reason(hurried), Reason::OutcomeUnknown);
    let running = shop.create_keyed("hurry", message.clone()).await;
    assert_eq!(reason(running), Reason::IdempotencyInProgress);
    let payment = shop.of_order(order).await.unwrap();
    shop.wait_for_state(&payment.id, PaymentState::Authorized)
        .await;
    let told = shop.create_keyed("hurry", message).await.unwrap();
    assert_eq!(told.id, payment.id);
    assert_eq!(shop.intents_of(&payment.id).await.len(), 1);
    shop.assert_sound().await;
}

#[tokio::test]
async fn work_stays_with_who_began_it_however_long_the_provider_takes() {
    let wishes = crate::shop::Wishes {
        provider_timeout_ms: 8_000,
        ..Default::default()
    };
    let shop = Shop::open_with(wishes).await;
    shop.faults(json!({ "delay_ms": 5_000 })).await;
    let message = creation(OrderId::generate(), 1, 1_000, "pm_card_visa");
    let first = shop.create_keyed("slow", message.clone());
    let others = async {
        // Longer than the lease of what a dead process has begun.
        tokio::time::sleep(Duration::from_millis(4_200)).await;
        shop.create_keyed("slow", message.clone()).await
    };
    let (first, other) = tokio::join!(first, others);
    assert_eq!(reason(other), Reason::IdempotencyInProgress);
    shop.faults(json!({})).await;
    assert_eq!(shop.intents_of(&first.unwrap().id).await.len(), 1);
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_customer_has_to_act_and_the_payment_goes_on_after_that() {
    let shop = Shop::open_without_webhooks().await;
    let order = OrderId::generate();
    let payment = shop
        .create(order, "pm_card_authenticationRequired")
        .await
        .unwrap();
    assert_eq!(payment.state(), PaymentState::RequiresAction);
    let url = payment.action.as_ref().unwrap().redirect_url.clone();
    assert!(url.contains(&payment.provider_reference), "{url}");
    let refused = shop.capture(&payment.id, None).await;
    assert_eq!(reason(refused), Reason::IllegalTransition);

    let still = shop.confirm(&payment.id).await.unwrap();
    assert_eq!(still.state(), PaymentState::RequiresAction);
    complete_action(&shop, &payment.provider_reference, "succeeded").await;
    let confirmed = shop.confirm(&payment.id).await.unwrap();
    assert_eq!(confirmed.state(), PaymentState::Authorized);
    assert!(confirmed.action.is_none());
    let again = shop.confirm(&payment.id).await.unwrap();
    assert_eq!(again.etag, confirmed.etag);
    assert_eq!(
        shop.events_of(&payment.id).await,
        ["action_required", "authorized"]
    );
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_customer_who_fails_to_act_is_declined() {
    let shop = Shop::open_without_webhooks().await;
    let order = OrderId::generate();
    let payment = shop
        .create(order, "pm_card_authenticationRequired")
        .await
        .unwrap();
    complete_action(&shop, &payment.provider_reference, "failed").await;
    assert_eq!(
        reason(shop.confirm(&payment.id).await),
        Reason::PaymentDeclined
    );
    assert_eq!(
        reason(shop.confirm(&payment.id).await),
        Reason::PaymentDeclined
    );
    let found = shop.get(&payment.id).await;
    assert_eq!(found.state(), PaymentState::Declined);
    shop.assert_sound().await;
}

#[tokio::test]
async fn what_a_customer_did_is_heard_by_webhook_and_seen_by_a_refresh() {
    let shop = Shop::open().await;
    let method = "pm_card_authenticationRequired";
    let payment = shop.create(OrderId::generate(), method).await.unwrap();
    complete_action(&shop, &payment.provider_reference, "succeeded").await;
    shop.wait_for_state(&payment.id, PaymentState::Authorized)
        .await;

    let deaf = Shop::open_without_webhooks().await;
    let payment = deaf.create(OrderId::generate(), method).await.unwrap();
    complete_action(&deaf, &payment.provider_reference, "succeeded").await;
    let seen = deaf.refreshed(&payment.id).await;
    assert_eq!(seen.state(), PaymentState::Authorized);
    deaf.assert_sound().await;
}

async fn complete_action(shop: &Shop, reference: &str, outcome: &str) {
    let path = format!("/_simulator/payment_intents/{reference}/complete_action");
    let intent = shop.provider_post(&path, &[("outcome", outcome)]).await;
    assert_eq!(intent["id"], reference, "{intent}");
}
