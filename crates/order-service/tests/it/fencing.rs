//! Two processes on one database: a claim is held by one of them, and who lost
//! it writes nothing any more.

use std::time::Duration;

use api::order::v1 as pb;
use pb::OrderState;

use crate::fakes::faults::Fault;
use crate::process::Service;
use crate::shop::{Shop, basket};

#[tokio::test]
async fn a_zombie_is_fenced_and_the_order_ends_once() {
    let shop = Shop::open().await;
    let twin = Service::start(shop.settings()).await;
    shop.fakes
        .faults
        .arm("Commit", &[Fault::Slow(Duration::from_millis(700))]);
    let create = shop.create(basket());
    let steal = async {
        while shop.fakes.faults.calls("Commit", "commit") == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // As if the first process had been suspended for longer than its lease,
        // and another had claimed the order and died.
        sqlx::query("update orders set epoch = epoch + 1, lease_until = now()")
            .execute(&mut *shop.store.db.acquire().await.unwrap())
            .await
            .unwrap();
    };
    let (order, ()) = tokio::join!(create, steal);
    let id = order.unwrap().id;
    shop.rests_in(&id, OrderState::Confirmed).await;
    assert_eq!(
        shop.events(&id).await,
        ["placed", "confirmed", "payment_captured"]
    );
    assert_eq!(shop.saga_of(&id).await.epoch, 3, "it was claimed anew");
    assert_eq!(shop.fakes.money.account(&id).captured, 750);
    shop.audit().await;
    twin.stop().await;
}

#[tokio::test]
async fn a_saga_that_takes_longer_than_its_lease_keeps_its_claim() {
    let shop = Shop::open().await;
    let twin = Service::start(shop.settings()).await;
    shop.fakes
        .faults
        .arm("CreatePayment", &[Fault::Slow(Duration::from_millis(2500))]);
    let id = shop.create(basket()).await.unwrap().id;
    shop.rests_in(&id, OrderState::Confirmed).await;
    assert_eq!(shop.saga_of(&id).await.epoch, 1, "nobody else claimed it");
    twin.stop().await;
}

#[tokio::test]
async fn two_processes_share_the_orders_and_each_goes_through_once() {
    let shop = Shop::open().await;
    let twin = Service::start(shop.settings()).await;
    let (other, _) = crate::shop::clients(twin.address);
    let here = (0..30).map(|_| shop.create(basket()));
    let there = (0..30).map(|_| {
        let mut other = other.clone();
        async move {
            let request = crate::shop::keyed(&crate::shop::fresh_key(), basket());
            other
                .create_order(request)
                .await
                .map(|answer| answer.into_inner().order.unwrap())
        }
    });
    let (here, there) = tokio::join!(
        futures::future::join_all(here),
        futures::future::join_all(there)
    );
    for order in here.into_iter().chain(there) {
        let id = order.unwrap().id;
        let order: pb::Order = shop.rests_in(&id, OrderState::Confirmed).await;
        assert_eq!(order.captured.unwrap().minor_units, 750);
    }
    assert_eq!(shop.fakes.stock.available("pen"), 1000 - 120);
    shop.audit().await;
    twin.stop().await;
}
