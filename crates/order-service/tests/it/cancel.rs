//! Cancelling in every state, and against everything that runs.

use std::time::Duration;

use api::order::v1 as pb;
use pb::OrderState;
use rpc::Reason;

use crate::fakes::faults::Fault;
use crate::shop::{Shop, basket, manual, paid_by, reason};

#[tokio::test]
async fn a_captured_order_is_refunded_and_restocked() {
    let shop = Shop::open().await;
    let id = shop.confirmed(basket()).await.id;
    let order = shop.cancel(&id).await.unwrap();
    assert_eq!(order.state(), OrderState::Cancelled);
    assert_eq!(order.reason.unwrap().code, "CANCELLED_BY_CLIENT");
    assert_eq!(order.refunded.unwrap().minor_units, 750);
    shop.holds_nothing(&id);
    assert_eq!(shop.fakes.stock.available("pen"), 1000);
    let kinds = [
        "placed",
        "confirmed",
        "payment_captured",
        "compensating",
        "refunded",
        "cancelled",
    ];
    assert_eq!(shop.events(&id).await, kinds);
    // Cancelling a cancelled order is fine.
    assert_eq!(
        shop.cancel(&id).await.unwrap().state(),
        OrderState::Cancelled
    );
    shop.audit().await;
}

#[tokio::test]
async fn an_authorized_order_is_voided() {
    let shop = Shop::open().await;
    let id = shop.confirmed(manual()).await.id;
    assert_eq!(
        shop.cancel(&id).await.unwrap().state(),
        OrderState::Cancelled
    );
    let account = shop.fakes.money.account(&id);
    assert_eq!((account.captured, account.promised), (0, 0));
    shop.holds_nothing(&id);
    shop.audit().await;
}

#[tokio::test]
async fn an_order_that_waits_for_its_customer_is_cancelled() {
    let shop = Shop::open().await;
    let id = shop.create(paid_by("pm_action")).await.unwrap().id;
    assert_eq!(
        shop.cancel(&id).await.unwrap().state(),
        OrderState::Cancelled
    );
    shop.holds_nothing(&id);
    shop.audit().await;
}

#[tokio::test]
async fn a_pending_order_is_cancelled_and_whoever_placed_it_is_told() {
    for method in ["Reserve", "CreatePayment", "Commit"] {
        let shop = Shop::open().await;
        let slow = Fault::Slow(Duration::from_millis(600));
        shop.fakes.faults.arm(method, &[slow]);
        let create = shop.create(basket());
        let cancel = async {
            let id = shop.only_order().await.id;
            while shop.fakes.faults.calls(method, "order") == 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            shop.cancel(&id).await.map(|order| (id, order))
        };
        let (created, cancelled) = tokio::join!(create, cancel);
        let (id, cancelled) = cancelled.unwrap();
        assert_eq!(cancelled.state(), OrderState::Cancelled, "{method}");
        assert_eq!(reason(&created.unwrap_err()), Reason::IllegalTransition);
        // What was under way at the peer has arrived by now.
        tokio::time::sleep(Duration::from_millis(700)).await;
        shop.holds_nothing(&id);
        assert_eq!(shop.fakes.stock.available("pen"), 1000, "{method}");
        shop.audit().await;
    }
}

#[tokio::test]
async fn a_capture_in_flight_is_settled_before_the_money_goes_back() {
    for fault in [
        Fault::LoseAnswer,
        Fault::Fail,
        Fault::Slow(Duration::from_millis(500)),
    ] {
        let shop = Shop::open().await;
        shop.fakes.faults.arm("CapturePayment", &[fault]);
        let id = shop.create(basket()).await.unwrap().id;
        let order = shop.cancel(&id).await.unwrap();
        assert_eq!(order.state(), OrderState::Cancelled, "{fault:?}");
        tokio::time::sleep(Duration::from_millis(600)).await;
        shop.holds_nothing(&id);
        shop.audit().await;
    }
}

#[tokio::test]
async fn money_that_somebody_else_captured_goes_back_too() {
    let shop = Shop::open().await;
    let id = shop.confirmed(manual()).await.id;
    shop.fakes.money.capture_behind_its_back(&id);
    assert_eq!(
        shop.cancel(&id).await.unwrap().state(),
        OrderState::Cancelled
    );
    let account = shop.fakes.money.account(&id);
    assert_eq!((account.captured, account.refunded), (750, 750));
    shop.audit().await;
}

#[tokio::test]
async fn what_has_shipped_or_was_rejected_cannot_be_cancelled() {
    let shop = Shop::open().await;
    let id = shop.confirmed(basket()).await.id;
    shop.fulfil(&id).await.unwrap();
    assert_eq!(
        reason(&shop.cancel(&id).await.unwrap_err()),
        Reason::IllegalTransition
    );

    let status = shop.create(paid_by("pm_declined")).await.unwrap_err();
    let id = crate::shop::remote(&status).metadata["order_id"].clone();
    assert_eq!(
        reason(&shop.cancel(&id).await.unwrap_err()),
        Reason::IllegalTransition
    );
    shop.audit().await;
}

#[tokio::test]
async fn cancel_racing_confirm_ends_one_way_or_the_other() {
    let shop = Shop::open().await;
    let mut ends = [0, 0];
    for round in 0..50_u64 {
        let order = pb::CreateOrderRequest {
            wait: pb::CreateOrderWait::Accepted as i32,
            ..basket()
        };
        let id = shop.create(order).await.unwrap().id;
        tokio::time::sleep(Duration::from_micros(round * 400)).await;
        let cancelled = shop.cancel(&id).await;
        let order = shop.rests(&id).await;
        match cancelled {
            Ok(_) => {
                assert_eq!(order.state(), OrderState::Cancelled);
                shop.holds_nothing(&id);
                ends[0] += 1;
            }
            Err(status) => panic!("an order that has not shipped can be cancelled: {status:?}"),
        }
        let confirmed = shop.events(&id).await.contains(&"confirmed".to_owned());
        ends[1] += usize::from(confirmed);
    }
    assert_eq!(ends[0], 50);
    assert!(
        ends[1] > 0 && ends[1] < 50,
        "both sides win sometimes: {ends:?}"
    );
    assert_eq!(shop.fakes.stock.available("pen"), 1000);
    shop.audit().await;
}

#[tokio::test]
async fn of_many_cancels_at_once_all_are_answered_and_one_acts() {
    let shop = Shop::open().await;
    let id = shop.confirmed(basket()).await.id;
    let cancels = (0..20).map(|_| shop.cancel(&id));
    for order in futures::future::join_all(cancels).await {
        let state = order.unwrap().state();
        assert!(matches!(
            state,
            OrderState::Cancelled | OrderState::Compensating
        ));
    }
    shop.rests_in(&id, OrderState::Cancelled).await;
    assert_eq!(shop.fakes.money.account(&id).refunded, 750);
    shop.audit().await;
}

#[tokio::test]
async fn an_order_whose_money_went_back_already_can_still_be_cancelled() {
    let shop = Shop::open().await;
    let id = shop.confirmed(basket()).await.id;
    shop.refund(&id, None).await.unwrap();
    let order = shop.cancel(&id).await.unwrap();
    assert_eq!(order.state(), OrderState::Cancelled);
    assert_eq!(shop.fakes.money.account(&id).refunded, 750);
    shop.holds_nothing(&id);
    assert_eq!(shop.events(&id).await.len(), 7);
    shop.audit().await;
}
