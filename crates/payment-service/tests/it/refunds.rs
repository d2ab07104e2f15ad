//! Refunding: never more than was captured, whoever asks how often.

use api::payment::v1 as pb;
use pb::{PaymentState, TransferState};
use rpc::Reason;
use serde_json::json;

use crate::shop::{Shop, reason, refunding};

#[tokio::test]
async fn of_fifty_refunds_of_sixty_percent_at_once_exactly_one_succeeds() {
    let shop = Shop::open().await;
    let payment = shop.captured_by("pm_card_visa").await;
    let refunds = (0..50).map(|_| shop.refund(&payment.id, Some(600)));
    let results = futures::future::join_all(refunds).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for result in results {
        if result.is_err() {
            assert_eq!(reason(result), Reason::RefundExceedsCaptured);
        }
    }
    assert_eq!(shop.their_total("gbp", "refunded_minor").await, 600);
    assert_eq!(
        shop.get(&payment.id).await.refunded.unwrap().minor_units,
        600
    );
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_payment_is_refunded_in_parts_until_nothing_is_left() {
    let shop = Shop::open().await;
    let payment = shop.captured_by("pm_card_visa").await;
    let first = shop.refund(&payment.id, Some(250)).await.unwrap();
    assert_eq!(first.refund.unwrap().state(), TransferState::Succeeded);
    let rest = shop.refund(&payment.id, None).await.unwrap();
    assert_eq!(rest.refund.unwrap().amount.unwrap().minor_units, 750);
    let nothing = shop.refund(&payment.id, None).await;
    assert_eq!(reason(nothing), Reason::RefundExceedsCaptured);
    let payment = shop.get(&payment.id).await;
    assert_eq!(payment.state(), PaymentState::Captured);
    assert_eq!(payment.refunds.len(), 2);
    assert_eq!(
        shop.events_of(&payment.id).await,
        ["authorized", "captured", "refunded", "refunded"]
    );
    shop.assert_sound().await;
}

#[tokio::test]
async fn what_was_not_captured_is_not_refunded() {
    let shop = Shop::open().await;
    let payment = shop.authorized().await;
    assert_eq!(
        reason(shop.refund(&payment.id, Some(1)).await),
        Reason::IllegalTransition
    );
    shop.capture(&payment.id, Some(400)).await.unwrap();
    assert_eq!(
        reason(shop.refund(&payment.id, Some(401)).await),
        Reason::RefundExceedsCaptured
    );
    shop.refund(&payment.id, Some(400)).await.unwrap();
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_pending_refund_is_answered_as_such_and_settled_later() {
    for shop in [Shop::open().await, Shop::open_without_webhooks().await] {
        let payment = shop.captured_by("pm_sim_refund_pending").await;
        let made = shop
            .refund_keyed("once", refunding(&payment.id, None))
            .await
            .unwrap();
        let refund = made.refund.unwrap();
        assert_eq!(refund.state(), TransferState::Pending);
        assert_eq!(
            made.payment.unwrap().refund_pending.unwrap().minor_units,
            1_000
        );
        let settled = shop
            .wait_for(&payment.id, |found| {
                found.refunds[0].state() == TransferState::Succeeded
            })
            .await;
        assert_eq!(settled.refunded.unwrap().minor_units, 1_000);
        // The first answer stays the answer.
        let again = shop
            .refund_keyed("once", refunding(&payment.id, None))
            .await
            .unwrap();
        assert_eq!(again.refund.unwrap(), refund);
        shop.assert_sound().await;
    }
}

#[tokio::test]
async fn a_pending_refund_that_fails_gives_the_amount_free_again() {
    for shop in [Shop::open().await, Shop::open_without_webhooks().await] {
        let payment = shop.captured_by("pm_sim_refund_fails").await;
        let made = shop.refund(&payment.id, Some(700)).await.unwrap();
        let refund = made.refund.unwrap();
        assert_eq!(refund.state(), TransferState::Pending);
        let failed = shop
            .wait_for(&payment.id, |found| {
                found.refunds[0].state() == TransferState::Failed
            })
            .await;
        assert_eq!(failed.refunded.as_ref().unwrap().minor_units, 0);
        assert_eq!(failed.refund_pending.unwrap().minor_units, 0);
        assert!(!failed.refunds[0].failure_code.is_empty());
        let again = shop.refund(&payment.id, Some(1_000)).await.unwrap();
        assert_eq!(again.refund.unwrap().state(), TransferState::Pending);
        shop.assert_sound().await;
    }
}

#[tokio::test]
async fn a_refund_whose_answer_was_lost_and_that_is_retried_is_one_refund() {
    let shop = Shop::open_without_webhooks().await;
    let payment = shop.captured_by("pm_card_visa").await;
    shop.faults(json!({ "lose_answers": { "create_refund": 1 } }))
        .await;
    let lost = shop
        .refund_keyed("once", refunding(&payment.id, Some(600)))
        .await;
    assert_eq!(reason(lost), Reason::OutcomeUnknown);
    let found = shop
        .refund_keyed("once", refunding(&payment.id, Some(600)))
        .await
        .unwrap();
    assert_eq!(found.refund.unwrap().state(), TransferState::Succeeded);
    assert_eq!(shop.their_total("gbp", "refund_count").await, 1);
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_refund_that_the_provider_refuses_is_refused_for_good() {
    let shop = Shop::open().await;
    let payment = shop.captured_by("pm_card_visa").await;
    // Somebody refunded it by hand, behind our back.
    let reference = payment.provider_reference.as_str();
    shop.provider_post("/v1/refunds", &[("payment_intent", reference)])
        .await;
    let refused = shop
        .refund_keyed("once", refunding(&payment.id, None))
        .await;
    assert_eq!(reason(refused), Reason::RefundRefused);
    let again = shop
        .refund_keyed("once", refunding(&payment.id, None))
        .await;
    assert_eq!(reason(again), Reason::RefundRefused);
    let found = shop.get(&payment.id).await;
    assert_eq!(found.refunds[0].state(), TransferState::Failed);
    assert_eq!(found.refund_pending.unwrap().minor_units, 0);
    // The audit sees what our books do not know.
    let findings = shop.audit().await;
    assert_eq!(findings["M4"].0, 1);
    assert_eq!(findings["M4"].1, [payment.id]);
}

#[tokio::test]
async fn a_refund_can_be_read_by_its_id() {
    let shop = Shop::open().await;
    let payment = shop.captured_by("pm_card_visa").await;
    let made = shop
        .refund(&payment.id, Some(5))
        .await
        .unwrap()
        .refund
        .unwrap();
    let request = pb::GetRefundRequest {
        refund_id: made.id.clone(),
    };
    let found = shop.client.clone().get_refund(request).await.unwrap();
    assert_eq!(found.into_inner().refund.unwrap(), made);
    let nobody = pb::GetRefundRequest {
        refund_id: payment.id,
    };
    let missing = shop.client.clone().get_refund(nobody).await;
    assert_eq!(reason(missing), Reason::NotFound);
}
