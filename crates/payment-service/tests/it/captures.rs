//! Capturing: in full, in parts, with lost answers, refused.

use api::payment::v1::{PaymentState, TransferState};
use rpc::Reason;
use serde_json::json;

use crate::shop::{Shop, capturing, decline_code, reason};

#[tokio::test]
async fn all_is_captured_and_booked() {
    let shop = Shop::open().await;
    let payment = shop.authorized().await;
    let made = shop.capture(&payment.id, None).await.unwrap();
    let (capture, payment) = (made.capture.unwrap(), made.payment.unwrap());
    assert_eq!(capture.state(), TransferState::Succeeded);
    assert_eq!(capture.amount.unwrap().minor_units, 1_000);
    assert_eq!(payment.state(), PaymentState::Captured);
    assert_eq!(
        shop.events_of(&payment.id).await,
        ["authorized", "captured"]
    );
    assert_eq!(shop.their_total("gbp", "captured_minor").await, 1_000);
    let with_captures = shop.get(&payment.id).await;
    assert_eq!(with_captures.captures.len(), 1);
    shop.assert_sound().await;
}

#[tokio::test]
async fn parts_are_captured_up_to_what_was_authorized() {
    let shop = Shop::open().await;
    let payment = shop.authorized().await;
    let part = shop.capture(&payment.id, Some(300)).await.unwrap();
    assert_eq!(
        part.payment.unwrap().state(),
        PaymentState::PartiallyCaptured
    );
    let too_much = shop.capture(&payment.id, Some(701)).await;
    assert_eq!(reason(too_much), Reason::CaptureExceedsAuthorized);
    let rest = shop.capture(&payment.id, None).await.unwrap();
    assert_eq!(rest.capture.unwrap().amount.unwrap().minor_units, 700);
    assert_eq!(rest.payment.unwrap().state(), PaymentState::Captured);
    let more = shop.capture(&payment.id, Some(1)).await;
    assert_eq!(reason(more), Reason::CaptureExceedsAuthorized);
    assert_eq!(shop.their_total("gbp", "captured_minor").await, 1_000);
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_final_capture_gives_the_rest_back() {
    let shop = Shop::open().await;
    let payment = shop.authorized().await;
    let mut request = capturing(&payment.id, Some(400));
    request.r#final = true;
    let made = shop.capture_keyed("last", request).await.unwrap();
    assert_eq!(made.payment.unwrap().state(), PaymentState::Captured);
    assert_eq!(shop.their_total("gbp", "capturable_minor").await, 0);
    let more = shop.capture(&payment.id, Some(100)).await;
    assert_eq!(reason(more), Reason::IllegalTransition);
    shop.assert_sound().await;
}

#[tokio::test]
async fn capturing_all_of_what_is_captured_changes_nothing() {
    let shop = Shop::open().await;
    let payment = shop.captured_by("pm_card_visa").await;
    let again = shop.capture(&payment.id, None).await.unwrap();
    assert_eq!(again.payment.unwrap().etag, payment.etag);
    assert_eq!(again.capture.unwrap().amount.unwrap().minor_units, 1_000);
    assert_eq!(shop.their_total("gbp", "captured_minor").await, 1_000);
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_capture_whose_answer_was_lost_and_that_is_retried_is_one_capture() {
    let shop = Shop::open_without_webhooks().await;
    let payment = shop
        .authorized_by("pm_sim_capture_timeout_but_succeeded")
        .await;
    let lost = shop
        .capture_keyed("once", capturing(&payment.id, None))
        .await;
    assert_eq!(reason(lost), Reason::OutcomeUnknown);
    let busy = shop.capture(&payment.id, None).await;
    assert!(
        busy.as_ref()
            .is_ok_and(|made| made.payment.as_ref().unwrap().state() == PaymentState::Captured)
            || reason(busy) == Reason::Conflict
    );
    let found = shop
        .capture_keyed("once", capturing(&payment.id, None))
        .await
        .unwrap();
    assert_eq!(found.capture.unwrap().state(), TransferState::Succeeded);
    assert_eq!(shop.their_total("gbp", "captured_count").await, 1);
    assert_eq!(shop.their_total("gbp", "captured_minor").await, 1_000);
    assert_eq!(shop.get(&payment.id).await.captures.len(), 1);
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_dropped_connection_during_a_capture_is_found_out_without_being_asked() {
    let shop = Shop::open_without_webhooks().await;
    let payment = shop.authorized().await;
    shop.faults(json!({ "lose_answers": { "capture_payment_intent": 1 } }))
        .await;
    let lost = shop.capture(&payment.id, Some(600)).await;
    assert_eq!(reason(lost), Reason::OutcomeUnknown);
    let found = shop
        .wait_for_state(&payment.id, PaymentState::PartiallyCaptured)
        .await;
    assert_eq!(found.captured.unwrap().minor_units, 600);
    assert_eq!(found.capture_pending.unwrap().minor_units, 0);
    assert_eq!(shop.their_total("gbp", "captured_minor").await, 600);
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_webhook_settles_a_capture_whose_answer_was_lost() {
    let shop = Shop::open().await;
    let payment = shop
        .authorized_by("pm_sim_capture_timeout_but_succeeded")
        .await;
    // Nobody but the webhook can tell: the provider answers no question.
    shop.faults(json!({ "refuse": {
        "retrieve_payment_intent": 100, "capture_payment_intent": 0
    } }))
    .await;
    let lost = shop
        .capture_keyed("once", capturing(&payment.id, None))
        .await;
    match lost {
        Ok(made) => assert_eq!(made.capture.unwrap().state(), TransferState::Succeeded),
        lost => assert_eq!(reason(lost), Reason::OutcomeUnknown),
    }
    shop.wait_for_state(&payment.id, PaymentState::Captured)
        .await;
    let told = shop
        .capture_keyed("once", capturing(&payment.id, None))
        .await
        .unwrap();
    assert_eq!(told.capture.unwrap().state(), TransferState::Succeeded);
    shop.faults(json!({})).await;
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_refused_capture_leaves_nothing_held_on_either_side() {
    let shop = Shop::open().await;
    let payment = shop.authorized_by("pm_sim_capture_fails").await;
    let refused = shop
        .capture_keyed("once", capturing(&payment.id, None))
        .await;
    assert_eq!(decline_code(refused.clone()), "charge_expired_for_capture");
    assert_eq!(reason(refused), Reason::CaptureRefused);
    let found = shop
        .wait_for_state(&payment.id, PaymentState::Expired)
        .await;
    assert_eq!(found.captures[0].state(), TransferState::Failed);
    let again = shop
        .capture_keyed("once", capturing(&payment.id, None))
        .await;
    assert_eq!(reason(again), Reason::CaptureRefused);
    shop.assert_sound().await;
    assert_eq!(shop.their_total("gbp", "capturable_minor").await, 0);
    assert_eq!(
        shop.events_of(&payment.id).await,
        ["authorized", "capture_failed", "expired"]
    );
    let order = payment.order_id.parse().unwrap();
    let second = crate::shop::creation(order, 2, 1_000, "pm_card_visa");
    let second = shop.create_keyed("anew", second).await.unwrap();
    assert_eq!(second.state(), PaymentState::Authorized);
}

#[tokio::test]
async fn captures_at_once_never_exceed_what_was_authorized() {
    let shop = Shop::open().await;
    let payment = shop.authorized().await;
    let captures = (0..30).map(|_| shop.capture(&payment.id, Some(150)));
    let results = futures::future::join_all(captures).await;
    let made = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(made, 6);
    for result in results {
        if result.is_err() {
            assert_eq!(reason(result), Reason::CaptureExceedsAuthorized);
        }
    }
    assert_eq!(shop.their_total("gbp", "captured_minor").await, 900);
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_stale_etag_captures_nothing() {
    let shop = Shop::open().await;
    let payment = shop.authorized().await;
    let mut request = capturing(&payment.id, Some(100));
    request.etag = payment.etag.clone();
    shop.capture_keyed("fresh", request.clone()).await.unwrap();
    let stale = shop.capture_keyed("stale", request).await;
    assert_eq!(reason(stale), Reason::EtagMismatch);
    assert_eq!(shop.their_total("gbp", "captured_minor").await, 100);
}
