//! Voiding: known, unknown, unborn.

use api::payment::v1::PaymentState;
use rpc::Reason;
use serde_json::json;
use types::OrderId;

use crate::shop::{Shop, creation, reason, voiding, voiding_order};

#[tokio::test]
async fn an_authorization_is_given_back_and_that_may_be_asked_twice() {
    let shop = Shop::open().await;
    let payment = shop.authorized().await;
    let voided = shop.void(&payment.id).await.unwrap().unwrap();
    assert_eq!(voided.state(), PaymentState::Voided);
    assert_eq!(voided.authorized.as_ref().unwrap().minor_units, 0);
    let again = shop.void(&payment.id).await.unwrap().unwrap();
    assert_eq!(again, voided);
    assert_eq!(shop.their_total("gbp", "canceled_count").await, 1);
    assert_eq!(shop.their_total("gbp", "capturable_minor").await, 0);
    assert_eq!(shop.events_of(&payment.id).await, ["authorized", "voided"]);
    assert_eq!(
        reason(shop.capture(&payment.id, None).await),
        Reason::IllegalTransition
    );
    shop.assert_sound().await;
}

#[tokio::test]
async fn voiding_an_order_that_has_no_payment_refuses_a_late_one() {
    let shop = Shop::open().await;
    let order = OrderId::generate();
    assert!(shop.void_order(order).await.unwrap().is_none());
    assert!(shop.void_order(order).await.unwrap().is_none());
    let late = shop.create(order, "pm_card_visa").await;
    assert_eq!(reason(late), Reason::PaymentVoided);
    assert_eq!(reason(shop.of_order(order).await), Reason::NotFound);
    assert_eq!(shop.their_total("gbp", "intents").await, 0);
    shop.assert_sound().await;
}

#[tokio::test]
async fn voiding_an_order_voids_its_payment_and_refuses_another_attempt() {
    let shop = Shop::open().await;
    let order = OrderId::generate();
    shop.create(order, "pm_card_visa").await.unwrap();
    let voided = shop.void_order(order).await.unwrap().unwrap();
    assert_eq!(voided.state(), PaymentState::Voided);
    let second = shop
        .create_keyed("2", creation(order, 2, 1_000, "pm_card_visa"))
        .await;
    assert_eq!(reason(second), Reason::PaymentVoided);
    shop.assert_sound().await;
}

#[tokio::test]
async fn of_an_order_the_live_attempt_is_voided_whatever_its_number() {
    let shop = Shop::open().await;
    let order = OrderId::generate();
    let fifth = creation(order, 5, 1_000, "pm_card_chargeDeclined");
    assert!(shop.create_keyed("5", fifth).await.is_err());
    let third = creation(order, 3, 1_000, "pm_card_visa");
    let third = shop.create_keyed("3", third).await.unwrap();
    assert_eq!(shop.of_order(order).await.unwrap().attempt, 5);
    let voided = shop.void_order(order).await.unwrap().unwrap();
    assert_eq!(voided.state(), PaymentState::Voided);
    assert_eq!(voided.id, third.id);
    shop.assert_sound().await;
}

#[tokio::test]
async fn voiding_what_was_declined_is_fine() {
    let shop = Shop::open().await;
    let order = OrderId::generate();
    assert!(shop.create(order, "pm_card_chargeDeclined").await.is_err());
    let found = shop.void_order(order).await.unwrap().unwrap();
    assert_eq!(found.state(), PaymentState::Declined);
    shop.assert_sound().await;
}

#[tokio::test]
async fn captured_money_is_not_voided_and_leaves_no_tombstone() {
    let shop = Shop::open().await;
    let payment = shop.captured_by("pm_card_visa").await;
    assert_eq!(
        reason(shop.void(&payment.id).await),
        Reason::IllegalTransition
    );
    let order: OrderId = payment.order_id.parse().unwrap();
    assert_eq!(
        reason(shop.void_order(order).await),
        Reason::IllegalTransition
    );
    assert_eq!(shop.count("select count(*) from order_tombstones").await, 0);
    let part = shop.authorized().await;
    shop.capture(&part.id, Some(1)).await.unwrap();
    assert_eq!(reason(shop.void(&part.id).await), Reason::IllegalTransition);
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_payment_that_waits_for_its_customer_is_voided_at_the_provider() {
    let shop = Shop::open().await;
    let method = "pm_card_authenticationRequired";
    let payment = shop.create(OrderId::generate(), method).await.unwrap();
    let voided = shop.void(&payment.id).await.unwrap().unwrap();
    assert_eq!(voided.state(), PaymentState::Voided);
    assert_eq!(shop.intents_of(&payment.id).await[0]["status"], "canceled");
    shop.assert_sound().await;
}

#[tokio::test]
async fn an_unknown_payment_is_found_out_before_it_is_voided() {
    let shop = Shop::open_without_webhooks().await;
    for (method, state) in [
        ("pm_sim_timeout_but_succeeded", PaymentState::Voided),
        ("pm_sim_timeout_and_failed", PaymentState::Declined),
    ] {
        let order = OrderId::generate();
        let lost = shop.create(order, method).await;
        assert_eq!(reason(lost), Reason::OutcomeUnknown);
        let ended = shop.void_order(order).await.unwrap().unwrap();
        assert_eq!(ended.state(), state, "{method}");
        assert_eq!(shop.intents_of(&ended.id).await.len(), 1);
        // The creation, asked again, is told what became of it.
        let late = reason(shop.create(order, method).await);
        let told = [Reason::PaymentVoided, Reason::PaymentDeclined];
        assert!(told.contains(&late), "{late:?}");
    }
    assert_eq!(shop.their_total("gbp", "capturable_minor").await, 0);
    shop.assert_sound().await;
}

#[tokio::test]
async fn while_a_payment_stays_unknown_the_wish_is_kept_and_carried_out_later() {
    let mut shop = Shop::open_without_webhooks().await;
    let order = OrderId::generate();
    let lost = shop.create(order, "pm_sim_timeout_but_succeeded").await;
    assert_eq!(reason(lost), Reason::OutcomeUnknown);
    shop.provider_down().await;
    let unknown = shop.void_keyed("away", voiding_order(order)).await;
    assert_eq!(reason(unknown), Reason::OutcomeUnknown);
    shop.provider_up().await;
    let payment = shop.of_order(order).await.unwrap();
    shop.wait_for_state(&payment.id, PaymentState::Voided).await;
    let told = shop.void_keyed("away", voiding_order(order)).await.unwrap();
    assert_eq!(told.unwrap().state(), PaymentState::Voided);
    assert_eq!(shop.their_total("gbp", "capturable_minor").await, 0);
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_cancellation_whose_answer_was_lost_is_found_out() {
    let shop = Shop::open_without_webhooks().await;
    let payment = shop.authorized().await;
    shop.faults(json!({ "lose_answers": { "cancel_payment_intent": 1 } }))
        .await;
    let lost = shop.void_keyed("once", voiding(&payment.id)).await;
    assert_eq!(reason(lost), Reason::OutcomeUnknown);
    let found = shop.void_keyed("once", voiding(&payment.id)).await.unwrap();
    assert_eq!(found.unwrap().state(), PaymentState::Voided);
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_void_that_races_its_creation_leaves_no_money_held() {
    let shop = Shop::open().await;
    let races = (0..60).map(|_| {
        let shop = &shop;
        async move {
            let order = OrderId::generate();
            let create = shop.create(order, "pm_card_visa");
            let void = async {
                let key = format!("void {order}");
                loop {
                    match shop.void_keyed(&key, voiding_order(order)).await {
                        Ok(voided) => break voided,
                        Err(status) => {
                            let told = reason(Err::<(), _>(status));
                            let again = [
                                Reason::OutcomeUnknown,
                                Reason::Conflict,
                                Reason::IdempotencyInProgress,
                                Reason::Unavailable,
                            ];
                            assert!(again.contains(&told), "{told:?}");
                        }
                    }
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
            };
            let (_, _) = tokio::join!(create, void);
            order
        }
    });
    let orders = futures::future::join_all(races).await;
    for order in orders {
        if let Ok(payment) = shop.of_order(order).await {
            shop.wait_for_state(&payment.id, PaymentState::Voided).await;
        }
    }
    assert_eq!(shop.their_total("gbp", "capturable_minor").await, 0);
    shop.assert_sound().await;
}
