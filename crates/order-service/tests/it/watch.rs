//! Watching an order: every event once, in sequence, from anywhere on.

use std::time::Duration;

use api::order::v1 as pb;
use pb::watch_order_response::Message;
use tonic::Streaming;

use crate::process::Service;
use crate::shop::{Shop, basket, clients, manual};

async fn watch(shop: &Shop, id: &str, after_sequence: i64) -> Streaming<pb::WatchOrderResponse> {
    let request = pb::WatchOrderRequest {
        order_id: id.to_owned(),
        after_sequence,
    };
    shop.orders
        .clone()
        .watch_order(request)
        .await
        .unwrap()
        .into_inner()
}

async fn next(stream: &mut Streaming<pb::WatchOrderResponse>) -> Message {
    let message = tokio::time::timeout(Duration::from_secs(8), stream.message());
    message
        .await
        .expect("a message")
        .unwrap()
        .unwrap()
        .message
        .unwrap()
}

async fn next_event(stream: &mut Streaming<pb::WatchOrderResponse>) -> (i64, String) {
    loop {
        if let Message::Event(event) = next(stream).await {
            return (event.sequence, event.kind);
        }
    }
}

#[tokio::test]
async fn a_stream_has_the_past_and_then_what_comes_and_resumes_without_a_gap() {
    let shop = Shop::open().await;
    let id = shop.confirmed(manual()).await.id;
    let mut all = watch(&shop, &id, 0).await;
    assert_eq!(next_event(&mut all).await, (1, "placed".to_owned()));
    assert_eq!(next_event(&mut all).await, (2, "confirmed".to_owned()));
    shop.cancel(&id).await.unwrap();
    assert_eq!(next_event(&mut all).await, (3, "compensating".to_owned()));
    assert_eq!(next_event(&mut all).await, (4, "cancelled".to_owned()));
    let mut resumed = watch(&shop, &id, 3).await;
    assert_eq!(next_event(&mut resumed).await, (4, "cancelled".to_owned()));
}

#[tokio::test]
async fn what_another_process_writes_is_seen_too() {
    let shop = Shop::open().await;
    let twin = Service::start(shop.settings()).await;
    let id = shop.confirmed(basket()).await.id;
    let (mut other, _) = clients(twin.address);
    let request = pb::WatchOrderRequest {
        order_id: id.clone(),
        after_sequence: 3,
    };
    let mut stream = other.watch_order(request).await.unwrap().into_inner();
    shop.cancel(&id).await.unwrap();
    assert_eq!(
        next_event(&mut stream).await,
        (4, "compensating".to_owned())
    );
    twin.stop().await;
}

#[tokio::test]
async fn a_silent_stream_shows_that_it_lives() {
    let shop = Shop::open().await;
    let id = shop.confirmed(basket()).await.id;
    let mut stream = watch(&shop, &id, 3).await;
    assert_eq!(next(&mut stream).await, Message::HeartbeatSequence(3));
}

#[tokio::test]
async fn a_stream_ends_when_the_service_stops() {
    let mut shop = Shop::open().await;
    let id = shop.confirmed(basket()).await.id;
    let mut stream = watch(&shop, &id, 3).await;
    let stopped = shop.stop();
    let ended = async { while let Ok(Some(_)) = stream.message().await {} };
    let both = async { tokio::join!(stopped, ended) };
    tokio::time::timeout(Duration::from_secs(4), both)
        .await
        .expect("both end");
}
