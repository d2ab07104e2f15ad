//! `kill -9`, and stores that go away.

use std::time::{Duration, Instant};

use api::order::v1::{CreateOrderRequest, CreateOrderWait, OrderState};
use e2e::{Shop, line, order_request};
use prost::Message;
use tonic::Code;

/// From the restart of a killed service to the end of the last order.
const RECOVERY: Duration = Duration::from_secs(15);
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn orders_reach_their_end_when_order_service_is_killed_at_any_moment() {
    let mut shop = Shop::start().await;
    shop.calls.stocked("MUG", 1_000_000).await;
    let mut accepted = Vec::new();
    for round in 0..12_u64 {
        let calls = shop.calls.clone();
        let burst = (0..20).map(|n| {
            let request = CreateOrderRequest {
                wait: CreateOrderWait::Accepted.into(),
                ..order_request(vec![line("MUG", 1)])
            };
            let (calls, key) = (calls.clone(), format!("kill-{round}-{n}"));
            tokio::spawn(async move { calls.create(&key, request).await })
        });
        let burst: Vec<_> = burst.collect();
        tokio::time::sleep(Duration::from_millis(5 + round * 8)).await;
        shop.order.kill();
        for call in burst {
            if let Ok(order) = call.await.unwrap() {
                accepted.push(order.id);
            }
        }
        shop.order.start().await;
        shop.calls.settled(RECOVERY).await;
    }
    check_all_ended(&shop, &accepted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_waits_for_a_frozen_peer_survives_a_kill() {
    let mut shop = Shop::start().await;
    shop.calls.stocked("MUG", 1_000_000).await;
    let mut accepted = Vec::new();
    for (round, frozen) in ["inventory", "payment", "simulator"]
        .into_iter()
        .enumerate()
    {
        freeze(&shop, frozen);
        for n in 0..5 {
            let request = CreateOrderRequest {
                wait: CreateOrderWait::Accepted.into(),
                ..order_request(vec![line("MUG", 1)])
            };
            let key = format!("frozen-{round}-{n}");
            accepted.push(shop.calls.create(&key, request).await.unwrap().id);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        shop.order.kill();
        thaw(&shop, frozen);
        shop.order.start().await;
        shop.calls.settled(RECOVERY).await;
    }
    check_all_ended(&shop, &accepted).await;
}

fn freeze(shop: &Shop, part: &str) {
    match part {
        "inventory" => shop.inventory.freeze(),
        "payment" => shop.payment.freeze(),
        _ => shop.simulator.freeze(),
    }
}

fn thaw(shop: &Shop, part: &str) {
    match part {
        "inventory" => shop.inventory.thaw(),
        "payment" => shop.payment.thaw(),
        _ => shop.simulator.thaw(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_reach_their_end_when_a_peer_is_killed() {
    let mut shop = Shop::start().await;
    shop.calls.stocked("MUG", 1_000_000).await;
    let mut accepted = Vec::new();
    for round in 0..6_u64 {
        let calls = shop.calls.clone();
        let burst: Vec<_> = (0..20)
            .map(|n| {
                let request = order_request(vec![line("MUG", 1)]);
                let (calls, key) = (calls.clone(), format!("peer-{round}-{n}"));
                tokio::spawn(async move { calls.create(&key, request).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(5 + round * 10)).await;
        let peer = match round % 3 {
            0 => &mut shop.inventory,
            1 => &mut shop.payment,
            _ => &mut shop.simulator,
        };
        peer.kill();
        peer.start().await;
        for call in burst {
            accepted.push(call.await.unwrap().unwrap().id);
        }
    }
    shop.calls.settled(PATIENCE).await;
    check_all_ended(&shop, &accepted).await;
}

async fn check_all_ended(shop: &Shop, accepted: &[String]) {
    for id in accepted {
        let order = shop.calls.order(id).await;
        assert_eq!(order.state(), OrderState::Confirmed, "{order:?}");
    }
    let orders = shop.calls.all_orders().await;
    assert!(orders.len() >= accepted.len());
    for order in &orders {
        assert!(
            matches!(order.state(), OrderState::Confirmed | OrderState::Rejected),
            "{order:?}"
        );
    }
    let confirmed = orders
        .iter()
        .filter(|order| order.state() == OrderState::Confirmed);
    let level = shop.calls.level("MUG").await;
    assert_eq!((level.held, level.committed), (0, confirmed.count() as i64));
    assert_eq!(shop.calls.violations().await, vec![]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_keeps_its_answer_over_a_restart() {
    let mut shop = Shop::start().await;
    shop.calls.stocked("MUG", 10).await;
    let request = order_request(vec![line("MUG", 1)]);
    let first = shop.calls.create("kept", request.clone()).await.unwrap();
    shop.calls.settled(PATIENCE).await;
    shop.order.kill();
    shop.order.start().await;
    let again = shop.calls.create("kept", request).await.unwrap();
    assert_eq!(first.encode_to_vec(), again.encode_to_vec());
    assert_eq!(shop.calls.all_orders().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_service_died_is_resumed_by_its_key() {
    let mut shop = Shop::start().await;
    shop.calls.stocked("MUG", 10).await;
    let request = order_request(vec![line("MUG", 1)]);
    shop.inventory.freeze();
    let calls = shop.calls.clone();
    let lost = tokio::spawn({
        let request = request.clone();
        async move { calls.create("resumed", request).await }
    });
    let deadline = Instant::now() + PATIENCE;
    while shop.calls.all_orders().await.is_empty() {
        assert!(Instant::now() < deadline, "the order was never stored");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    shop.order.kill();
    lost.await.unwrap().unwrap_err();
    shop.inventory.thaw();
    shop.order.start().await;
    let deadline = Instant::now() + PATIENCE;
    let order = loop {
        match shop.calls.create("resumed", request.clone()).await {
            Ok(order) => break order,
            Err(status) => assert_eq!(status.code(), Code::Aborted, "{status:?}"),
        }
        assert!(Instant::now() < deadline, "the key was never free again");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(order.state(), OrderState::Confirmed);
    assert_eq!(shop.calls.all_orders().await.len(), 1);
    shop.calls.settled(PATIENCE).await;
    assert_eq!(shop.calls.violations().await, vec![]);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_taken_without_redis_and_events_arrive_once_it_is_back() {
    let mut shop = Shop::start().await;
    shop.calls.stocked("MUG", 100).await;
    shop.redis.stop().await;
    let mut ids = Vec::new();
    for n in 0..10 {
        let request = order_request(vec![line("MUG", 1)]);
        ids.push(
            shop.calls
                .create(&format!("dark-{n}"), request)
                .await
                .unwrap()
                .id,
        );
    }
    shop.calls.settled(PATIENCE).await;
    shop.redis.start().await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = confirmed_events(&shop).await;
        if ids.iter().all(|id| seen.contains(id)) {
            break;
        }
        assert!(Instant::now() < deadline, "events are missing: {seen:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(shop.calls.violations().await, vec![]);
}

/// The orders whose `confirmed` was published.
async fn confirmed_events(shop: &Shop) -> Vec<String> {
    let mut connection = shop.redis.connect().await;
    let entries: redis::streams::StreamRangeReply = redis::cmd("XRANGE")
        .arg("cartwright.order.v1")
        .arg("-")
        .arg("+")
        .query_async(&mut connection)
        .await
        .unwrap();
    let confirmed = entries.ids.iter().filter(|entry| {
        entry.get::<String>("type").as_deref() == Some("cartwright.order.v1.confirmed")
    });
    confirmed
        .filter_map(|entry| entry.get::<String>("aggregate"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_drains_and_exits_with_zero() {
    let mut shop = Shop::start().await;
    shop.calls.stocked("MUG", 1_000).await;
    let calls = shop.calls.clone();
    let burst: Vec<_> = (0..50)
        .map(|n| {
            let request = order_request(vec![line("MUG", 1)]);
            let (calls, key) = (calls.clone(), format!("drain-{n}"));
            tokio::spawn(async move { calls.create(&key, request).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert_eq!(shop.order.terminate(), Some(0), "{}", shop.order.log());
    let mut accepted = Vec::new();
    for call in burst {
        if let Ok(order) = call.await.unwrap() {
            accepted.push(order.id);
        }
    }
    shop.order.start().await;
    shop.calls.settled(PATIENCE).await;
    check_all_ended(&shop, &accepted).await;
    for part in [&mut shop.order, &mut shop.payment, &mut shop.inventory] {
        assert_eq!(part.terminate(), Some(0), "{}", part.log());
    }
}
