//! Shipping, goods that come back, money that goes back.

use api::order::v1 as pb;
use api::payment::v1::TransferState;
use pb::{OrderState, WorkState};
use rpc::Reason;
use tonic::Status;

use crate::fakes::faults::Fault;
use crate::shop::{Shop, basket, fresh_key, gbp, keyed, manual, paid_by, reason};

fn units(line_number: i32, quantity: i64) -> pb::LineQuantity {
    pb::LineQuantity {
        line_number,
        quantity,
    }
}

async fn ship(
    shop: &Shop,
    id: &str,
    lines: Vec<pb::LineQuantity>,
) -> Result<pb::CreateFulfillmentResponse, Status> {
    let request = pb::CreateFulfillmentRequest {
        order_id: id.to_owned(),
        lines,
        tracking: "T1".to_owned(),
        etag: String::new(),
    };
    let mut orders = shop.orders.clone();
    let answer = orders.create_fulfillment(keyed(&fresh_key(), request));
    Ok(answer.await?.into_inner())
}

async fn announce(
    shop: &Shop,
    id: &str,
    lines: Vec<pb::LineQuantity>,
    restock: bool,
) -> Result<pb::Return, Status> {
    let request = pb::CreateReturnRequest {
        order_id: id.to_owned(),
        lines,
        restock,
        reason: "too red".to_owned(),
        etag: String::new(),
    };
    let answer = shop
        .orders
        .clone()
        .create_return(keyed(&fresh_key(), request))
        .await?;
    Ok(answer.into_inner().order_return.unwrap())
}

async fn receive(shop: &Shop, return_id: &str) -> Result<pb::ReceiveReturnResponse, Status> {
    let request = pb::ReceiveReturnRequest {
        return_id: return_id.to_owned(),
    };
    let answer = shop
        .orders
        .clone()
        .receive_return(keyed(&fresh_key(), request))
        .await?;
    Ok(answer.into_inner())
}

#[tokio::test]
async fn an_order_ships_in_parts_and_never_more_than_it_has() {
    let shop = Shop::open().await;
    let id = shop.confirmed(basket()).await.id;
    let first = ship(&shop, &id, vec![units(1, 1)]).await.unwrap();
    assert_eq!(first.fulfillment.unwrap().state(), WorkState::Done);
    assert_eq!(first.order.unwrap().state(), OrderState::PartiallyFulfilled);
    let too_much = ship(&shop, &id, vec![units(1, 1), units(1, 1)])
        .await
        .unwrap_err();
    assert_eq!(reason(&too_much), Reason::ExceedsRemaining);
    let unknown = ship(&shop, &id, vec![units(9, 1)]).await.unwrap_err();
    assert_eq!(reason(&unknown), Reason::InvalidField);
    let rest = ship(&shop, &id, vec![]).await.unwrap();
    assert_eq!(rest.fulfillment.unwrap().lines, [units(1, 1), units(2, 1)]);
    assert_eq!(rest.order.unwrap().state(), OrderState::Fulfilled);
    let again = ship(&shop, &id, vec![]).await.unwrap_err();
    assert_eq!(reason(&again), Reason::IllegalTransition);
    assert_eq!(shop.fakes.stock.on_hand("pen"), 998);

    let listed = pb::ListFulfillmentsRequest {
        order_id: id.clone(),
        page_size: 1,
        ..Default::default()
    };
    let page = shop
        .orders
        .clone()
        .list_fulfillments(listed.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(page.fulfillments.len(), 1);
    let next = pb::ListFulfillmentsRequest {
        page_token: page.next_page_token,
        ..listed
    };
    let page = shop
        .orders
        .clone()
        .list_fulfillments(next)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (page.fulfillments.len(), page.next_page_token.as_str()),
        (1, "")
    );
    shop.audit().await;
}

#[tokio::test]
async fn of_shipments_at_once_only_so_many_go_as_there_are_goods() {
    let shop = Shop::open().await;
    let id = shop.confirmed(basket()).await.id;
    let ships = (0..8).map(|_| ship(&shop, &id, vec![units(1, 1)]));
    let shipped = futures::future::join_all(ships).await;
    let refused = shipped.iter().filter_map(|answer| answer.as_ref().err());
    assert_eq!(shipped.iter().filter(|answer| answer.is_ok()).count(), 2);
    for status in refused {
        assert_eq!(reason(status), Reason::ExceedsRemaining);
    }
    shop.rests_in(&id, OrderState::PartiallyFulfilled).await;
    assert_eq!(shop.fakes.stock.on_hand("pen"), 998);
    shop.audit().await;
}

#[tokio::test]
async fn the_first_shipment_captures_what_was_only_authorized() {
    let shop = Shop::open().await;
    let id = shop.confirmed(manual()).await.id;
    let order = ship(&shop, &id, vec![units(1, 1)])
        .await
        .unwrap()
        .order
        .unwrap();
    assert_eq!(order.captured, Some(gbp(750)));
    ship(&shop, &id, vec![]).await.unwrap();
    assert_eq!(shop.fakes.faults.calls("CapturePayment", &id), 1);
    shop.audit().await;
}

#[tokio::test]
async fn what_cannot_be_paid_does_not_ship() {
    let shop = Shop::open().await;
    let order = pb::CreateOrderRequest {
        capture_method: pb::CaptureMethod::Manual as i32,
        ..paid_by("pm_capture_fails")
    };
    let id = shop.confirmed(order).await.id;
    let status = ship(&shop, &id, vec![]).await.unwrap_err();
    assert_eq!(reason(&status), Reason::CaptureRefused);
    shop.rests_in(&id, OrderState::Cancelled).await;
    assert_eq!(shop.fakes.stock.on_hand("pen"), 1000);
    shop.holds_nothing(&id);
    shop.audit().await;
}

#[tokio::test]
async fn a_shipment_that_is_refused_fails_and_can_be_tried_again() {
    let shop = Shop::open().await;
    let id = shop.confirmed(basket()).await.id;
    shop.fakes
        .faults
        .arm("Fulfill", &[Fault::Refuse(Reason::IllegalTransition)]);
    let status = ship(&shop, &id, vec![]).await.unwrap_err();
    assert_eq!(reason(&status), Reason::IllegalTransition);
    shop.rests_in(&id, OrderState::Confirmed).await;
    ship(&shop, &id, vec![]).await.unwrap();
    shop.audit().await;
}

#[tokio::test]
async fn an_order_being_shipped_cannot_be_cancelled_meanwhile() {
    let shop = Shop::open().await;
    let id = shop.confirmed(basket()).await.id;
    let slow = Fault::Slow(std::time::Duration::from_millis(500));
    shop.fakes.faults.arm("Fulfill", &[slow]);
    let cancel = async {
        while shop.fakes.faults.calls("Fulfill", &id) == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        shop.cancel(&id).await
    };
    let (shipped, cancelled) = tokio::join!(ship(&shop, &id, vec![]), cancel);
    shipped.unwrap();
    assert_eq!(reason(&cancelled.unwrap_err()), Reason::IllegalTransition);
    shop.audit().await;
}

#[tokio::test]
async fn goods_that_come_back_are_paid_back_and_put_back() {
    let shop = Shop::open().await;
    let id = shop.confirmed(basket()).await.id;
    let status = announce(&shop, &id, vec![units(1, 1)], true)
        .await
        .unwrap_err();
    assert_eq!(
        reason(&status),
        Reason::IllegalTransition,
        "nothing has shipped"
    );
    shop.fulfil(&id).await.unwrap();
    let first = announce(&shop, &id, vec![units(1, 1)], true).await.unwrap();
    assert_eq!(
        (first.state(), first.refund.clone()),
        (WorkState::Requested, Some(gbp(250)))
    );
    let status = announce(&shop, &id, vec![units(1, 2)], true)
        .await
        .unwrap_err();
    assert_eq!(
        reason(&status),
        Reason::ExceedsRemaining,
        "one is announced already"
    );

    let answer = receive(&shop, &first.id).await.unwrap();
    assert_eq!(answer.order_return.unwrap().state(), WorkState::Done);
    assert_eq!(answer.order.unwrap().refunded, Some(gbp(250)));
    assert_eq!(shop.fakes.stock.on_hand("pen"), 999);
    // Received is received.
    let again = receive(&shop, &first.id).await.unwrap();
    assert_eq!(again.order_return.unwrap().state(), WorkState::Done);
    assert_eq!(shop.fakes.money.account(&id).refunded, 250);

    let broken = announce(&shop, &id, vec![units(2, 1)], false)
        .await
        .unwrap();
    receive(&shop, &broken.id).await.unwrap();
    assert_eq!(shop.fakes.stock.on_hand("mug"), 999, "not put back");
    assert_eq!(shop.fakes.money.account(&id).refunded, 500);
    let status = receive(&shop, &uuid::Uuid::now_v7().to_string())
        .await
        .unwrap_err();
    assert_eq!(reason(&status), Reason::NotFound);
    shop.audit().await;
}

#[tokio::test]
async fn a_return_pays_back_only_what_is_left() {
    let shop = Shop::open().await;
    let id = shop.confirmed(basket()).await.id;
    shop.fulfil(&id).await.unwrap();
    let back = announce(&shop, &id, vec![units(1, 2)], true).await.unwrap();
    shop.refund(&id, Some(700)).await.unwrap();
    let answer = receive(&shop, &back.id).await.unwrap();
    assert_eq!(answer.order_return.unwrap().refund, Some(gbp(50)));
    assert_eq!(shop.fakes.money.account(&id).refunded, 750);

    let back = announce(&shop, &id, vec![units(2, 1)], true).await.unwrap();
    let answer = receive(&shop, &back.id).await.unwrap();
    assert_eq!(answer.order_return.unwrap().refund, Some(gbp(0)));
    assert_eq!(shop.fakes.stock.on_hand("mug"), 1000);
    shop.audit().await;
}

#[tokio::test]
async fn of_many_refunds_at_once_only_so_much_goes_back_as_was_taken() {
    let shop = Shop::open().await;
    let id = shop.confirmed(basket()).await.id;
    let refunds = (0..20).map(|_| shop.refund(&id, Some(450)));
    let refunds = futures::future::join_all(refunds).await;
    assert_eq!(refunds.iter().filter(|answer| answer.is_ok()).count(), 1);
    for status in refunds.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(reason(status), Reason::RefundExceedsCaptured);
    }
    let rest = shop.refund(&id, None).await.unwrap();
    assert_eq!(
        (rest.state(), rest.amount),
        (WorkState::Done, Some(gbp(300)))
    );
    assert_eq!(shop.fakes.money.account(&id).refunded, 750);
    let order = shop.get(&id).await;
    assert_eq!(order.payment_state(), pb::OrderPaymentState::Refunded);
    assert_eq!(order.state(), OrderState::Confirmed, "refunded is no state");
    shop.audit().await;
}

#[tokio::test]
async fn a_refund_that_the_provider_takes_its_time_for_runs_until_it_is_settled() {
    for (settled, refunded) in [(TransferState::Succeeded, 100), (TransferState::Failed, 0)] {
        let shop = Shop::open().await;
        let id = shop.confirmed(paid_by("pm_refund_pending")).await.id;
        let request = pb::RefundOrderRequest {
            order_id: id.clone(),
            amount: Some(gbp(100)),
            ..Default::default()
        };
        let mut request = keyed(&fresh_key(), request);
        request.set_timeout(std::time::Duration::from_millis(900));
        let answer = shop
            .orders
            .clone()
            .refund_order(request)
            .await
            .unwrap()
            .into_inner();
        assert_eq!(answer.state(), WorkState::Running);
        shop.fakes.money.settle_refunds(settled);
        let order = shop.rests_in(&id, OrderState::Confirmed).await;
        assert_eq!(order.refunded, Some(gbp(refunded)));
        shop.audit().await;
    }
}

#[tokio::test]
async fn a_refund_that_is_refused_says_so_and_the_money_counts_again() {
    let shop = Shop::open().await;
    let id = shop.confirmed(paid_by("pm_refund_fails")).await.id;
    let status = shop.refund(&id, None).await.unwrap_err();
    assert_eq!(reason(&status), Reason::RefundRefused);
    assert_eq!(shop.get(&id).await.refunded, Some(gbp(0)));
    let order = shop.cancel(&id).await.unwrap();
    assert_eq!(
        order.state(),
        OrderState::NeedsAttention,
        "the money cannot go back"
    );
    shop.audit().await;
}
