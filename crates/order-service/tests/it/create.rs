//! Orders are confirmed, or refused with the reason.

use std::time::{Duration, Instant};

use api::order::v1 as pb;
use pb::{CreateOrderWait, OrderPaymentState, OrderState};
use rpc::Reason;
use tonic_types::StatusExt;

use crate::fakes::faults::Fault;
use crate::shop::{Shop, basket, fresh_key, gbp, keyed, line, manual, paid_by, reason, remote};

#[tokio::test]
async fn an_order_is_confirmed_in_the_call_and_captured_after_it() {
    let shop = Shop::open().await;
    let order = shop.create(basket()).await.unwrap();
    assert_eq!(order.state(), OrderState::Confirmed);
    assert_eq!(order.total, Some(gbp(750)));
    assert_eq!(order.lines[0].unit_price, Some(gbp(250)));

    let order = shop.rests_in(&order.id, OrderState::Confirmed).await;
    assert_eq!(order.captured, Some(gbp(750)));
    assert_eq!(order.payment_state(), OrderPaymentState::Captured);
    assert_eq!(
        shop.events(&order.id).await,
        ["placed", "confirmed", "payment_captured"]
    );
    assert_eq!(shop.fakes.stock.available("pen"), 998);
    assert_eq!(shop.fakes.money.account(&order.id).captured, 750);
    for (method, part) in [
        ("Reserve", "reserve"),
        ("Commit", "commit"),
        ("CapturePayment", "capture"),
    ] {
        assert_eq!(
            shop.fakes.faults.calls(method, part),
            1,
            "{method} is asked once"
        );
    }
    shop.audit().await;
}

#[tokio::test]
async fn an_order_with_manual_capture_is_only_authorized() {
    let shop = Shop::open().await;
    let order = shop.confirmed(manual()).await;
    assert_eq!(order.payment_state(), OrderPaymentState::Authorized);
    assert_eq!(shop.fakes.money.account(&order.id).promised, 750);
    shop.audit().await;
}

#[tokio::test]
async fn an_order_that_costs_nothing_needs_no_payment() {
    let shop = Shop::open().await;
    shop.fakes.stock.item("leaflet", 10, Some((0, "GBP")));
    let order = pb::CreateOrderRequest {
        lines: vec![line("leaflet", 1)],
        ..basket()
    };
    let order = shop.confirmed(order).await;
    assert_eq!(order.total, Some(gbp(0)));
    assert_eq!(order.payment_state(), OrderPaymentState::None);
    shop.fulfil(&order.id).await.unwrap();
    assert_eq!(shop.fakes.money.account(&order.id).attempts, 0);
    shop.audit().await;
}

#[tokio::test]
async fn a_short_line_is_named_and_nothing_is_held() {
    let shop = Shop::open().await;
    let mut order = basket();
    order.lines[1].quantity = 1001;
    let status = shop.create(order).await.unwrap_err();
    assert_eq!(reason(&status), Reason::OutOfStock);
    let remote = remote(&status);
    assert_eq!(remote.metadata["short.mug"], "1001/1000");
    let details = status.get_error_details();
    assert_eq!(
        details.precondition_failure().unwrap().violations[0].subject,
        "mug"
    );

    let id = &remote.metadata["order_id"];
    let order = shop.rests_in(id, OrderState::Rejected).await;
    assert_eq!(order.reason.unwrap().code, "OUT_OF_STOCK");
    assert_eq!(shop.events(id).await, ["placed", "rejected"]);
    shop.holds_nothing(id);
    shop.audit().await;
}

#[tokio::test]
async fn every_refusal_ends_in_a_rejected_order_that_holds_nothing() {
    let shop = Shop::open().await;
    shop.fakes.stock.item("gift", 10, None);
    shop.fakes.stock.item("dollar", 10, Some((100, "USD")));
    shop.fakes
        .stock
        .item("gold", 1_000_000, Some((i64::MAX / 2, "GBP")));
    let with = |sku: &str, quantity| pb::CreateOrderRequest {
        lines: vec![line("pen", 1), line(sku, quantity)],
        ..basket()
    };
    let table = [
        (with("nowhere", 1), Reason::UnknownSku),
        (with("gift", 1), Reason::PriceMissing),
        (with("dollar", 1), Reason::PriceMissing),
        (with("gold", 3), Reason::AmountOverflow),
        (paid_by("pm_declined"), Reason::PaymentDeclined),
        (
            pb::CreateOrderRequest {
                expected_total: Some(gbp(749)),
                ..basket()
            },
            Reason::TotalMismatch,
        ),
    ];
    for (order, expected) in table {
        let status = shop.create(order).await.unwrap_err();
        assert_eq!(reason(&status), expected, "{status:?}");
        let id = remote(&status).metadata["order_id"].clone();
        let order = shop.rests_in(&id, OrderState::Rejected).await;
        assert_eq!(order.reason.unwrap().code, expected.code());
        shop.holds_nothing(&id);
    }
    assert_eq!(shop.fakes.stock.available("pen"), 1000);
    shop.audit().await;
}

#[tokio::test]
async fn the_callers_prices_count_and_stay() {
    let shop = Shop::open().await;
    shop.fakes.stock.item("gift", 10, None);
    let mut order = pb::CreateOrderRequest {
        lines: vec![line("gift", 3), line("pen", 1)],
        expected_total: Some(gbp(3 * 99 + 250)),
        ..basket()
    };
    order.lines[0].unit_price = Some(gbp(99));
    let order = shop.confirmed(order).await;
    assert_eq!(order.total, Some(gbp(547)));
    let changed = sqlx::query("update orders set total_minor = 1")
        .execute(&mut *shop.store.db.acquire().await.unwrap())
        .await;
    assert!(changed.is_err(), "an accepted total does not change");
    shop.audit().await;
}

#[tokio::test]
async fn an_accepted_order_is_answered_at_once_and_goes_on() {
    let shop = Shop::open().await;
    let slow = Fault::Slow(Duration::from_millis(1500));
    shop.fakes.faults.arm("CreatePayment", &[slow]);
    let order = pb::CreateOrderRequest {
        wait: CreateOrderWait::Accepted as i32,
        ..basket()
    };
    let began = Instant::now();
    let order = shop.create(order).await.unwrap();
    assert!(began.elapsed() < Duration::from_millis(1400));
    assert_eq!(order.state(), OrderState::Pending);
    shop.rests_in(&order.id, OrderState::Confirmed).await;
}

#[tokio::test]
async fn past_the_deadline_the_answer_is_pending_for_the_first_call_and_every_repeat() {
    let shop = Shop::open().await;
    let slow = Fault::Slow(Duration::from_millis(1500));
    shop.fakes.faults.arm("CreatePayment", &[slow]);
    let key = fresh_key();
    let call = || {
        let mut request = keyed(&key, basket());
        request.set_timeout(Duration::from_millis(800));
        request
    };
    let first = shop
        .orders
        .clone()
        .create_order(call())
        .await
        .unwrap()
        .into_inner();
    let order = first.order.clone().unwrap();
    assert_eq!(order.state(), OrderState::Pending);
    shop.rests_in(&order.id, OrderState::Confirmed).await;
    let again = shop
        .orders
        .clone()
        .create_order(call())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(first, again);
}

#[tokio::test]
async fn a_slow_card_delays_nobody_else() {
    let shop = Shop::open().await;
    let slow = Fault::Slow(Duration::from_secs(6));
    shop.fakes.faults.arm("CreatePayment", &[slow]);
    let slow = shop.create(basket());
    let others = async {
        while shop.fakes.faults.calls("CreatePayment", "pay") == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let orders = (0..20).map(|_| shop.create(basket()));
        futures::future::join_all(orders).await
    };
    tokio::pin!(slow);
    tokio::select! {
        _ = &mut slow => panic!("the slow card was quicker"),
        others = others => for order in others {
            assert_eq!(order.unwrap().state(), OrderState::Confirmed);
        }
    }
    assert_eq!(slow.await.unwrap().state(), OrderState::Confirmed);
}

#[tokio::test]
async fn a_client_that_hangs_up_stops_nothing() {
    let shop = Shop::open().await;
    shop.fakes
        .faults
        .arm("Reserve", &[Fault::Slow(Duration::from_millis(400))]);
    let call = shop.create(basket());
    tokio::select! {
        _ = call => panic!("the client hung up"),
        _ = shop.only_order() => {}
    }
    let id = shop.only_order().await.id;
    shop.rests_in(&id, OrderState::Confirmed).await;
    shop.audit().await;
}

#[tokio::test]
async fn a_customer_who_acts_gets_the_order_and_one_who_fails_does_not() {
    let shop = Shop::open().await;
    for (well, end) in [(true, OrderState::Confirmed), (false, OrderState::Rejected)] {
        let order = shop.create(paid_by("pm_action")).await.unwrap();
        assert_eq!(order.state(), OrderState::AwaitingPaymentAction);
        assert_eq!(
            order.payment_action.unwrap().redirect_url,
            "https://bank.example/act"
        );
        shop.fakes.money.act(&order.id, well);
        shop.rests_in(&order.id, end).await;
        if !well {
            shop.holds_nothing(&order.id);
        }
    }
    shop.audit().await;
}

#[tokio::test]
async fn a_customer_who_does_not_act_in_time_loses_the_order() {
    let mut saga = crate::shop::quick();
    saga.payment_action_s = 1;
    let shop = Shop::open_with(saga).await;
    let order = shop.create(paid_by("pm_action")).await.unwrap();
    let order = shop.rests_in(&order.id, OrderState::Rejected).await;
    assert_eq!(order.reason.unwrap().code, "PAYMENT_ACTION_TIMEOUT");
    shop.holds_nothing(&order.id);
    shop.audit().await;
}

#[tokio::test]
async fn a_hold_that_ran_out_is_made_anew_once() {
    let shop = Shop::open().await;
    let order = shop.create(paid_by("pm_action")).await.unwrap();
    assert!(shop.fakes.stock.expire(&order.id));
    shop.fakes.money.act(&order.id, true);
    shop.rests_in(&order.id, OrderState::Confirmed).await;

    // The second time somebody else was quicker.
    let order = shop.create(paid_by("pm_action")).await.unwrap();
    assert!(shop.fakes.stock.expire(&order.id));
    shop.fakes.stock.item("pen", 0, Some((250, "GBP")));
    shop.fakes.money.act(&order.id, true);
    let order = shop.rests_in(&order.id, OrderState::Rejected).await;
    assert_eq!(order.reason.unwrap().code, "OUT_OF_STOCK");
    shop.holds_nothing(&order.id);
    shop.audit().await;
}

#[tokio::test]
async fn a_refused_capture_is_tried_with_a_new_authorization_and_then_the_order_is_undone() {
    let shop = Shop::open().await;
    let id = shop
        .create(paid_by("pm_capture_fails_once"))
        .await
        .unwrap()
        .id;
    shop.rests_in(&id, OrderState::Confirmed).await;
    let account = shop.fakes.money.account(&id);
    assert_eq!(
        (account.attempts, account.captured, account.promised),
        (2, 750, 0)
    );

    let id = shop.create(paid_by("pm_capture_fails")).await.unwrap().id;
    let order = shop.rests_in(&id, OrderState::Cancelled).await;
    assert_eq!(order.reason.unwrap().code, "CAPTURE_REFUSED");
    shop.holds_nothing(&id);
    shop.audit().await;
}

#[tokio::test]
async fn a_thousand_lines_of_many_orders_go_through_together() {
    let shop = Shop::open().await;
    let mut order = basket();
    order.lines = (0..1000)
        .map(|at| line(if at % 2 == 0 { "pen" } else { "mug" }, 1))
        .collect();
    shop.fakes.stock.item("pen", 100_000, Some((1, "GBP")));
    shop.fakes.stock.item("mug", 100_000, Some((1, "GBP")));
    let orders = (0..24).map(|_| shop.create(order.clone()));
    for order in futures::future::join_all(orders).await {
        assert_eq!(order.unwrap().total, Some(gbp(1000)));
    }
    shop.audit().await;
}
