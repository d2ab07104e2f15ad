//! Those who follow: an order for a while, all movements of stock for as long
//! as the load lasts. A stream that breaks is taken up after the last sequence
//! that was seen.

use std::sync::Arc;
use std::time::Duration;

use api::inventory::v1 as stock;
use api::order::v1 as pb;
use load::Shop;
use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::history::Watched;

/// How long one follows an order.
const FOLLOWS: Duration = Duration::from_secs(8);
const PAUSE: Duration = Duration::from_millis(300);
/// A server that is frozen says nothing: the client looks elsewhere.
const SILENCE_MAX: Duration = Duration::from_secs(20);

pub async fn order(shop: Shop, order: String) -> Watched {
    let mut watched = Watched {
        order,
        events: Vec::new(),
        connections: 0,
    };
    let deadline = Instant::now() + FOLLOWS;
    while Instant::now() < deadline {
        let follows = tokio::time::timeout_at(deadline, follow(&shop, &mut watched));
        if follows.await.is_err() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    watched
}

/// Until the stream ends, by itself or because it breaks.
async fn follow(shop: &Shop, watched: &mut Watched) {
    let request = pb::WatchOrderRequest {
        order_id: watched.order.clone(),
        after_sequence: watched.events.last().map_or(0, |(sequence, _)| *sequence),
    };
    let Ok(stream) = shop.orders.clone().watch_order(request).await else {
        return;
    };
    watched.connections += 1;
    let mut stream = stream.into_inner();
    while let Ok(Some(response)) = stream.message().await {
        if let Some(pb::watch_order_response::Message::Event(event)) = response.message {
            watched.events.push((event.sequence, event.kind));
        }
    }
}

/// Notes the sequences of all movements from the first on.
pub async fn movements(shop: Shop, seen: Arc<Mutex<Vec<i64>>>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => {}
            () = follow_movements(&shop, &seen) => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn follow_movements(shop: &Shop, seen: &Mutex<Vec<i64>>) {
    let request = stock::WatchStockRequest {
        skus: Vec::new(),
        after_sequence: Some(seen.lock().last().copied().unwrap_or(0)),
    };
    let mut client = shop.stock.clone();
    let opened = tokio::time::timeout(SILENCE_MAX, client.watch_stock(request));
    let Ok(Ok(stream)) = opened.await else { return };
    let mut stream = stream.into_inner();
    loop {
        let message = tokio::time::timeout(SILENCE_MAX, stream.message()).await;
        let Ok(Ok(Some(response))) = message else {
            return;
        };
        if let Some(stock::watch_stock_response::Event::Movement(movement)) = response.event {
            seen.lock().push(movement.sequence);
        }
    }
}
