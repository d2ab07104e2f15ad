//! Where automation gives up, a person decides.

use std::time::Duration;

use api::order::v1 as pb;
use pb::{OrderState, SagaResolution};
use rpc::Reason;
use tonic::Status;

use crate::fakes::faults::Fault;
use crate::shop::{Shop, basket, fresh_key, keyed, manual, paid_by, quick, reason};

async fn resolve(shop: &Shop, id: &str, resolution: SagaResolution) -> Result<pb::Saga, Status> {
    let request = pb::ResolveSagaRequest {
        order_id: id.to_owned(),
        resolution: resolution as i32,
        reason: "talked to the bank".to_owned(),
        etag: String::new(),
    };
    let answer = shop
        .admin
        .clone()
        .resolve_saga(keyed(&fresh_key(), request))
        .await?;
    Ok(answer.into_inner().saga.unwrap())
}

/// Tries for two seconds, then a person has to look.
async fn impatient() -> Shop {
    Shop::open_with(order_service::SagaSettings {
        forward_s: 2,
        attention_s: 2,
        ..quick()
    })
    .await
}

#[tokio::test]
async fn an_undo_that_fails_for_too_long_needs_attention_and_is_resumed() {
    let shop = impatient().await;
    let id = shop.confirmed(manual()).await.id;
    shop.fakes.faults.arm("VoidPayment", &[Fault::Fail; 500]);
    shop.cancel(&id).await.unwrap();
    let order = shop.rests_in(&id, OrderState::NeedsAttention).await;
    assert_eq!(order.reason.unwrap().code, "SAGA_STUCK");
    shop.audit().await;
    assert_eq!(
        reason(&shop.cancel(&id).await.unwrap_err()),
        Reason::IllegalTransition
    );

    shop.fakes.faults.disarm();
    resolve(&shop, &id, SagaResolution::Resume).await.unwrap();
    shop.rests_in(&id, OrderState::Cancelled).await;
    shop.holds_nothing(&id);
    shop.audit().await;
}

#[tokio::test]
async fn an_order_that_gets_nowhere_is_turned_back() {
    let shop = impatient().await;
    shop.fakes.faults.arm("CreatePayment", &[Fault::Fail; 500]);
    let order = pb::CreateOrderRequest {
        wait: pb::CreateOrderWait::Accepted as i32,
        ..basket()
    };
    let id = shop.create(order).await.unwrap().id;
    let order = shop.rests_in(&id, OrderState::Rejected).await;
    assert_eq!(order.reason.unwrap().code, "TIMED_OUT");
    shop.holds_nothing(&id);
    shop.audit().await;
}

#[tokio::test]
async fn a_capture_that_gets_nowhere_needs_attention_and_can_be_cancelled() {
    let shop = impatient().await;
    shop.fakes.faults.arm("CapturePayment", &[Fault::Fail; 500]);
    let id = shop.create(basket()).await.unwrap().id;
    shop.rests_in(&id, OrderState::NeedsAttention).await;
    shop.fakes.faults.disarm();
    resolve(&shop, &id, SagaResolution::Cancel).await.unwrap();
    shop.rests_in(&id, OrderState::Cancelled).await;
    shop.holds_nothing(&id);
    let status = resolve(&shop, &id, SagaResolution::Resume)
        .await
        .unwrap_err();
    assert_eq!(reason(&status), Reason::IllegalTransition);
    shop.audit().await;
}

#[tokio::test]
async fn what_cannot_be_refunded_needs_attention_until_somebody_pays_it_back() {
    let shop = Shop::open().await;
    let id = shop.confirmed(paid_by("pm_refund_fails")).await.id;
    let order = shop.cancel(&id).await.unwrap();
    assert_eq!(order.state(), OrderState::NeedsAttention);
    assert_eq!(order.reason.unwrap().code, "REFUND_REFUSED");
    resolve(&shop, &id, SagaResolution::Resume).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    shop.rests_in(&id, OrderState::NeedsAttention).await;
    shop.audit().await;
}
