//! What the other services tell, and what they are told.

use std::time::{Duration, Instant};

use api::inventory::v1 as inventory;
use api::order::v1 as pb;
use api::payment::v1 as payment;
use outbox::Event;
use pb::{OrderState, SagaResolution};
use prost::Message;
use uuid::Uuid;

use crate::shop::{Shop, basket, fresh_key, keyed, paid_by, quick};

/// Puts an event on a stream as another service would: through an outbox and
/// its relay. Both are borrowed from the order service itself.
async fn tell(shop: &Shop, topic: &'static str, kind: &'static str, payload: Vec<u8>) {
    let event = Event {
        id: Uuid::now_v7(),
        topic,
        kind,
        aggregate: Uuid::now_v7(),
        sequence: 1,
        payload,
        traceparent: None,
    };
    let mut tx = shop.store.db.begin().await.unwrap();
    outbox::append(&mut tx, &[event]).await.unwrap();
    tx.commit().await.unwrap();
}

fn shortfall(order_id: &str) -> Vec<u8> {
    let missing = inventory::StockShortfall {
        sku: "pen".to_owned(),
        location_id: "main".to_owned(),
        quantity: 1,
    };
    inventory::InventoryEvent {
        order_id: order_id.to_owned(),
        time: None,
        event: Some(inventory::inventory_event::Event::StockShortfall(missing)),
    }
    .encode_to_vec()
}

#[tokio::test]
async fn an_order_whose_stock_is_gone_needs_attention_and_can_go_on() {
    let shop = Shop::open().await;
    let id = shop.confirmed(basket()).await.id;
    let (stream, kind) = ("cartwright.inventory.v1", "stock_shortfall");
    tell(&shop, stream, kind, shortfall(&Uuid::now_v7().to_string())).await;
    tell(&shop, stream, kind, shortfall(&id)).await;
    let order = shop.rests_in(&id, OrderState::NeedsAttention).await;
    let why = order.reason.unwrap();
    assert_eq!(why.code, "STOCK_SHORTFALL");
    assert!(why.message.contains("1 units of pen"), "{}", why.message);
    shop.audit().await;

    let request = pb::ResolveSagaRequest {
        order_id: id.clone(),
        resolution: SagaResolution::Resume as i32,
        reason: "found it".to_owned(),
        etag: String::new(),
    };
    shop.admin
        .clone()
        .resolve_saga(keyed(&fresh_key(), request))
        .await
        .unwrap();
    shop.rests_in(&id, OrderState::Confirmed).await;
    shop.audit().await;
}

#[tokio::test]
async fn a_payment_that_moved_wakes_the_order_that_waits_for_it() {
    let shop = Shop::open_with(order_service::SagaSettings {
        payment_poll_ms: 120_000,
        ..quick()
    })
    .await;
    let id = shop.create(paid_by("pm_action")).await.unwrap().id;
    shop.fakes.money.act(&id, true);
    let payload = payment::PaymentEvent {
        payment: Some(payment::Payment {
            order_id: id.clone(),
            ..Default::default()
        }),
        refund: None,
    };
    tell(
        &shop,
        "cartwright.payment.v1",
        "authorized",
        payload.encode_to_vec(),
    )
    .await;
    shop.rests_in(&id, OrderState::Confirmed).await;
}

#[tokio::test]
async fn every_event_is_published_once_and_in_sequence() {
    let shop = Shop::open().await;
    let orders = (0..12).map(|_| shop.confirmed(basket()));
    let ids: Vec<String> = futures::future::join_all(orders)
        .await
        .into_iter()
        .map(|order| order.id)
        .collect();
    for id in &ids {
        shop.cancel(id).await.unwrap();
    }
    let began = Instant::now();
    while outbox::depth(&mut shop.store.db.acquire().await.unwrap())
        .await
        .unwrap()
        > 0
    {
        assert!(began.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let told = told(&shop).await;
    for id in &ids {
        let of_order = told.iter().filter(|event| event.order_id == *id);
        let sequences: Vec<i64> = of_order.map(|event| event.sequence).collect();
        assert_eq!(sequences, [1, 2, 3, 4, 5, 6]);
    }
}

/// The payloads of the stream of orders.
async fn told(shop: &Shop) -> Vec<pb::OrderEvent> {
    let mut conn = shop.redis.connect().await;
    let entries: redis::streams::StreamRangeReply = redis::cmd("XRANGE")
        .arg("cartwright.order.v1")
        .arg("-")
        .arg("+")
        .query_async(&mut conn)
        .await
        .unwrap();
    let payload = |entry: &redis::streams::StreamId| -> Vec<u8> { entry.get("payload").unwrap() };
    let changed = |bytes: Vec<u8>| pb::OrderChanged::decode(bytes.as_slice()).unwrap();
    let entries = entries.ids.iter().map(payload).map(changed);
    entries.map(|changed| changed.event.unwrap()).collect()
}
