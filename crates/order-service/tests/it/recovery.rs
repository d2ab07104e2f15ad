//! After a crash every order comes to its end by itself, and the same key still
//! gives the same order.

use std::time::{Duration, Instant};

use api::order::v1 as pb;
use pb::OrderState;

use crate::fakes::faults::Fault;
use crate::shop::{Shop, basket, fresh_key, keyed};

#[tokio::test]
async fn many_orders_that_a_crash_left_half_done_are_finished_soon() {
    let mut shop = Shop::open_with(order_service::SagaSettings::default()).await;
    let slow = [Fault::Slow(Duration::from_secs(30)); 40];
    shop.fakes.faults.arm("CreatePayment", &slow);
    let order = pb::CreateOrderRequest {
        wait: pb::CreateOrderWait::Accepted as i32,
        ..basket()
    };
    let accepted = (0..40).map(|_| shop.create(order.clone()));
    let accepted = futures::future::join_all(accepted).await;
    while shop.fakes.faults.calls("CreatePayment", "pay") < 40 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    shop.kill();
    shop.fakes.faults.disarm();
    let began = Instant::now();
    shop.start().await;
    for order in accepted {
        shop.rests_in(&order.unwrap().id, OrderState::Confirmed)
            .await;
    }
    assert!(
        began.elapsed() < Duration::from_secs(15),
        "{:?}",
        began.elapsed()
    );
    shop.audit().await;
}

#[tokio::test]
async fn an_order_that_failed_often_waits_no_longer_than_its_peer_is_away() {
    let shop = Shop::open_with(order_service::SagaSettings::default()).await;
    shop.fakes.faults.arm("CapturePayment", &[Fault::Fail; 200]);
    let id = shop.create(basket()).await.unwrap().id;
    while shop.saga_of(&id).await.tries < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut conn = shop.store.db.acquire().await.unwrap();
    let put_off = "update orders set next_run_at = now() + interval '25 seconds'";
    sqlx::query(put_off).execute(&mut *conn).await.unwrap();
    shop.fakes.faults.disarm();
    let others = async {
        loop {
            shop.confirmed(basket()).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        order = shop.rests_in(&id, OrderState::Confirmed) => {
            assert_eq!(order.captured.unwrap().minor_units, 750);
        }
        () = others => {}
    }
}

#[tokio::test]
async fn a_key_whose_first_call_died_is_resumed_with_the_same_order() {
    let mut shop = Shop::open().await;
    shop.fakes.faults.arm("CreatePayment", &[Fault::HangBefore]);
    let key = fresh_key();
    tokio::select! {
        _ = shop.create_with_key(&key, basket()) => panic!("the payment hangs"),
        () = shop.fakes.faults.hangs() => {}
    }
    let id = shop.only_order().await.id;
    shop.restart().await;
    // The key's lease outlives the order's: until it has run out, or the saga
    // has closed the key, the call is told that the first one still runs.
    let answer = loop {
        match shop.create_with_key(&key, basket()).await {
            Ok(order) => break order,
            Err(status) => {
                assert_eq!(
                    crate::shop::reason(&status),
                    rpc::Reason::IdempotencyInProgress
                );
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    };
    assert_eq!(answer.id, id);
    assert_eq!(answer.state(), OrderState::Confirmed);
    shop.rests_in(&id, OrderState::Confirmed).await;
    assert_eq!(shop.only_order().await.id, id);
    shop.audit().await;
}

#[tokio::test]
async fn a_call_that_takes_a_lapsed_key_over_waits_for_the_same_order() {
    let mut shop = Shop::open().await;
    shop.fakes.faults.arm("CreatePayment", &[Fault::HangBefore]);
    let key = fresh_key();
    tokio::select! {
        _ = shop.create_with_key(&key, basket()) => panic!("the payment hangs"),
        () = shop.fakes.faults.hangs() => {}
    }
    shop.kill();
    sqlx::query("update idempotency_keys set lease_until = now() - interval '1 second'")
        .execute(&mut *shop.store.db.acquire().await.unwrap())
        .await
        .unwrap();
    shop.start().await;
    let order = shop.create_with_key(&key, basket()).await.unwrap();
    assert_eq!(order.state(), OrderState::Confirmed);
    assert_eq!(shop.only_order().await.id, order.id);
}

#[tokio::test]
async fn a_stop_finishes_what_it_can_and_gives_back_the_rest() {
    let mut shop = Shop::open_with(order_service::SagaSettings {
        lease_ms: 60_000,
        ..crate::shop::quick()
    })
    .await;
    shop.fakes
        .faults
        .arm("CreatePayment", &[Fault::Slow(Duration::from_millis(600))]);
    let quick = tokio::spawn({
        let mut orders = shop.orders.clone();
        async move { orders.create_order(keyed(&fresh_key(), basket())).await }
    });
    let id = shop.only_order().await.id;
    shop.stop().await;
    let answer = quick.await.unwrap().unwrap().into_inner().order.unwrap();
    assert_eq!(
        answer.state(),
        OrderState::Confirmed,
        "in flight is finished"
    );

    shop.start().await;
    shop.rests_in(&id, OrderState::Confirmed).await;
    shop.fakes.faults.arm("CapturePayment", &[Fault::Fail; 200]);
    let id = shop.create(basket()).await.unwrap().id;
    shop.stop().await;
    shop.fakes.faults.disarm();
    // With a lease of a minute this ends in time only if it was given back.
    shop.start().await;
    let order = shop.rests_in(&id, OrderState::Confirmed).await;
    assert_eq!(order.captured.unwrap().minor_units, 750);
    shop.audit().await;
}

#[tokio::test]
async fn orders_are_taken_while_redis_is_away_and_told_of_when_it_is_back() {
    let mut shop = Shop::open().await;
    shop.redis.stop().await;
    let id = shop.confirmed(basket()).await.id;
    shop.redis.start().await;
    let began = Instant::now();
    loop {
        let mut conn = shop.store.db.acquire().await.unwrap();
        if outbox::depth(&mut conn).await.unwrap() == 0 {
            break;
        }
        assert!(
            began.elapsed() < Duration::from_secs(15),
            "events wait for ever"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(shop.get(&id).await.state(), OrderState::Confirmed);
    shop.audit().await;
}

#[tokio::test]
async fn orders_survive_a_crash_of_the_database_in_the_middle() {
    let mut postgres = testkit::TestPostgres::start().await;
    let store = postgres.database(&order_service::MIGRATORS).await;
    let shop = Shop::open_on(store, crate::shop::quick()).await;
    let slow = [Fault::Slow(Duration::from_millis(800)); 10];
    shop.fakes.faults.arm("CreatePayment", &slow);
    let order = pb::CreateOrderRequest {
        wait: pb::CreateOrderWait::Accepted as i32,
        ..basket()
    };
    let accepted = (0..10).map(|_| shop.create(order.clone()));
    let accepted = futures::future::join_all(accepted).await;
    while shop.fakes.faults.calls("CreatePayment", "pay") < 10 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    postgres.crash().await;
    let refused = shop.create(basket()).await.unwrap_err();
    assert_eq!(crate::shop::reason(&refused), rpc::Reason::Unavailable);
    tokio::time::sleep(Duration::from_millis(900)).await;
    postgres.restart().await;
    for order in accepted {
        shop.rests_in(&order.unwrap().id, OrderState::Confirmed)
            .await;
    }
    shop.audit().await;
}
