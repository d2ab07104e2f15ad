//! What must hold when two things happen at once.

use std::time::Duration;

use api::order::v1::{CreateOrderRequest, CreateOrderWait, OrderState};
use e2e::{Shop, line, order_request};
use futures::{StreamExt, stream};
use tonic::Code;

const PATIENCE: Duration = Duration::from_secs(60);
const ROUNDS: u64 = 200;

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_races_the_reservation_leaves_nothing_held() {
    let shop = Shop::start().await;
    race(&shop, |_| Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_races_the_confirmation_leaves_nothing_held() {
    let shop = Shop::start().await;
    // Spread over the time that an order takes, so that every step is met.
    race(&shop, |round| Duration::from_millis(round % 40)).await;
}

/// Places orders and cancels each after a while. Every order ends cancelled, or
/// confirmed where the cancel was refused; never both.
async fn race(shop: &Shop, delay: impl Fn(u64) -> Duration) {
    let calls = &shop.calls;
    calls.stocked("MUG", 1_000_000).await;
    let rounds = stream::iter(0..ROUNDS).map(|round| {
        let delay = delay(round);
        async move {
            let request = CreateOrderRequest {
                wait: CreateOrderWait::Accepted.into(),
                ..order_request(vec![line("MUG", 2)])
            };
            let order = calls
                .create(&format!("race-{round}"), request)
                .await
                .unwrap();
            tokio::time::sleep(delay).await;
            let cancelled = calls.cancel(&order.id).await;
            let cancelled = cancelled.unwrap();
            assert!(
                matches!(
                    cancelled.state(),
                    OrderState::Cancelled | OrderState::Compensating
                ),
                "{cancelled:?}"
            );
            order.id
        }
    });
    let ids: Vec<String> = rounds.buffer_unordered(8).collect().await;
    calls.settled(PATIENCE).await;
    for id in &ids {
        let order = calls.order(id).await;
        assert_eq!(order.state(), OrderState::Cancelled, "{order:?}");
        let net =
            |money: Option<api::common::v1::Money>| money.map_or(0, |money| money.minor_units);
        assert_eq!(net(order.captured), net(order.refunded));
    }
    let level = calls.level("MUG").await;
    assert_eq!((level.held, level.committed), (0, 0));
    assert_eq!(calls.violations().await, vec![]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_up_stops_nothing() {
    let shop = Shop::start().await;
    let calls = &shop.calls;
    calls.stocked("MUG", 1_000_000).await;
    for round in 0..60_u64 {
        let request = order_request(vec![line("MUG", 1)]);
        let key = format!("hang-up-{round}");
        let call = calls.create(&key, request);
        // Dropping the future resets the stream: this client is gone.
        tokio::time::timeout(Duration::from_millis(round % 30), call)
            .await
            .ok();
    }
    calls.settled(PATIENCE).await;
    let orders = calls.all_orders().await;
    assert!(!orders.is_empty(), "no call got as far as the service");
    for order in orders {
        assert_eq!(order.state(), OrderState::Confirmed, "{order:?}");
    }
    assert_eq!(calls.violations().await, vec![]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_is_one_order_however_often_it_is_sent_at_once() {
    // How often one key may be sent is another matter.
    let unlimited = ("CARTWRIGHT__LIMITS__IDEMPOTENCY_KEY__PER_SECOND", "0");
    let shop = Shop::start_with(&[unlimited]).await;
    let calls = &shop.calls;
    calls.stocked("MUG", 1_000).await;
    let request = order_request(vec![line("MUG", 1)]);
    let answers = (0..32).map(|_| calls.create("the same", request.clone()));
    let answers = futures::future::join_all(answers).await;
    let mut ids: Vec<String> = Vec::new();
    for answer in answers {
        match answer {
            Ok(order) => ids.push(order.id),
            Err(status) => assert_eq!(status.code(), Code::Aborted, "{status:?}"),
        }
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(calls.all_orders().await.len(), 1);
    calls.settled(PATIENCE).await;
    assert_eq!(calls.level("MUG").await.committed, 1);

    let other = order_request(vec![line("MUG", 2)]);
    let reused = calls.create("the same", other).await.unwrap_err();
    assert_eq!(
        rpc::Remote::from(&reused).reason,
        Some(rpc::Reason::IdempotencyKeyReused)
    );
}
