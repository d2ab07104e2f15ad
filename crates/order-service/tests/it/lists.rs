//! Reading orders: one, many, all, page by page.

use api::order::v1 as pb;
use pb::OrderState;
use rpc::Reason;

use crate::shop::{Shop, basket, fresh_key, keyed, reason};

#[tokio::test]
async fn pages_show_every_order_once_newest_first() {
    let shop = Shop::open().await;
    let mut placed = Vec::new();
    for at in 0..7 {
        let order = pb::CreateOrderRequest {
            customer_id: if at % 2 == 0 { "anna" } else { "ben" }.to_owned(),
            ..basket()
        };
        placed.push(shop.create(order).await.unwrap().id);
    }
    placed.reverse();
    assert_eq!(all(&shop, "", 0, 3).await, placed);
    assert_eq!(all(&shop, "ben", 0, 2).await.len(), 3);
    assert_eq!(
        all(&shop, "", OrderState::Rejected as i32, 2).await.len(),
        0
    );
    assert_eq!(
        all(&shop, "anna", OrderState::Confirmed as i32, 100)
            .await
            .len(),
        4
    );
}

async fn all(shop: &Shop, customer: &str, state: i32, page_size: i32) -> Vec<String> {
    let mut ids = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = pb::ListOrdersRequest {
            customer_id: customer.to_owned(),
            state,
            page_size,
            page_token,
        };
        let page = shop
            .orders
            .clone()
            .list_orders(request)
            .await
            .unwrap()
            .into_inner();
        ids.extend(page.orders.into_iter().map(|order| order.id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return ids;
        }
    }
}

#[tokio::test]
async fn a_page_token_is_good_for_its_own_list_only() {
    let shop = Shop::open().await;
    for _ in 0..2 {
        shop.create(basket()).await.unwrap();
    }
    let request = pb::ListOrdersRequest {
        page_size: 1,
        ..Default::default()
    };
    let page = shop
        .orders
        .clone()
        .list_orders(request.clone())
        .await
        .unwrap()
        .into_inner();
    for page_token in [page.next_page_token, "rubbish".to_owned()] {
        let other = pb::ListOrdersRequest {
            customer_id: "anna".to_owned(),
            page_token,
            ..request.clone()
        };
        let status = shop.orders.clone().list_orders(other).await.unwrap_err();
        assert_eq!(reason(&status), Reason::PageTokenInvalid);
    }
    let too_big = pb::ListOrdersRequest {
        page_size: 101,
        ..request
    };
    let status = shop.orders.clone().list_orders(too_big).await.unwrap_err();
    assert_eq!(reason(&status), Reason::InvalidField);
}

#[tokio::test]
async fn a_batch_comes_in_the_order_of_the_request_and_names_what_is_missing() {
    let shop = Shop::open().await;
    let first = shop.create(basket()).await.unwrap().id;
    let second = shop.create(basket()).await.unwrap().id;
    let missing = uuid::Uuid::now_v7().to_string();
    let order_ids = vec![second.clone(), missing.clone(), first.clone()];
    let request = pb::BatchGetOrdersRequest { order_ids };
    let answer = shop
        .orders
        .clone()
        .batch_get_orders(request)
        .await
        .unwrap()
        .into_inner();
    let found: Vec<_> = answer.orders.into_iter().map(|order| order.id).collect();
    assert_eq!(found, [second, first]);
    assert_eq!(answer.not_found_ids, [missing]);
    let request = pb::BatchGetOrdersRequest::default();
    let status = shop
        .orders
        .clone()
        .batch_get_orders(request)
        .await
        .unwrap_err();
    assert_eq!(reason(&status), Reason::InvalidField);
}

#[tokio::test]
async fn an_old_etag_changes_nothing() {
    let shop = Shop::open().await;
    let old = shop.create(basket()).await.unwrap();
    let order = shop.rests_in(&old.id, OrderState::Confirmed).await;
    assert_ne!(old.etag, order.etag, "the capture is a change");
    let cancel = |etag: &str| pb::CancelOrderRequest {
        order_id: order.id.clone(),
        reason: String::new(),
        etag: etag.to_owned(),
    };
    let mut orders = shop.orders.clone();
    let stale = orders
        .cancel_order(keyed(&fresh_key(), cancel(&old.etag)))
        .await;
    assert_eq!(reason(&stale.unwrap_err()), Reason::EtagMismatch);
    assert_eq!(shop.get(&order.id).await, order);
    let fresh = orders
        .cancel_order(keyed(&fresh_key(), cancel(&order.etag)))
        .await;
    assert_eq!(
        fresh.unwrap().into_inner().order.unwrap().state(),
        OrderState::Cancelled
    );
}

#[tokio::test]
async fn sagas_that_have_not_ended_are_listed_and_can_be_hurried() {
    let shop = Shop::open_with(order_service::SagaSettings {
        backoff_max_ms: 60_000,
        ..crate::shop::quick()
    })
    .await;
    let fail = [crate::fakes::faults::Fault::Fail; 24];
    shop.fakes.faults.arm("CapturePayment", &fail);
    let id = shop.create(basket()).await.unwrap().id;
    let list = async |needs_attention| {
        let request = pb::ListSagasRequest {
            needs_attention,
            ..Default::default()
        };
        shop.admin
            .clone()
            .list_sagas(request)
            .await
            .unwrap()
            .into_inner()
            .sagas
    };
    loop {
        let sagas = list(false).await;
        assert_eq!(sagas.len(), 1);
        if sagas[0].tries >= 3 {
            assert!(
                sagas[0].last_error.contains("an armed fault"),
                "{:?}",
                sagas[0]
            );
            assert_eq!(sagas[0].capture(), pb::EffectState::Begun);
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(list(true).await.is_empty());
    shop.fakes.faults.disarm();
    let request = pb::RetrySagaRequest {
        order_id: id.clone(),
    };
    shop.admin
        .clone()
        .retry_saga(keyed(&fresh_key(), request))
        .await
        .unwrap();
    let order = shop.rests_in(&id, OrderState::Confirmed).await;
    assert_eq!(order.captured.unwrap().minor_units, 750);
    assert!(list(false).await.is_empty());
}
