//! An order from end to end, and each way in which it can end otherwise.

use std::time::Duration;

use api::{
    order::v1::{
        self as pb, CreateFulfillmentRequest, CreateReturnRequest, GetOrderTimelineRequest,
        LineQuantity, OrderPaymentState, OrderState, ReceiveReturnRequest, RefundOrderRequest,
        WorkState,
    },
    payment::v1::PaymentState,
};
use e2e::{Shop, line, order_request};
use rpc::{Reason, Remote};

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_reserved_paid_committed_confirmed_captured_shipped_and_returned() {
    let shop = Shop::start().await;
    let calls = &shop.calls;
    calls.stocked("MUG", 10).await;

    let order = calls
        .create("one", order_request(vec![line("MUG", 3)]))
        .await
        .unwrap();
    assert_eq!(order.state(), OrderState::Confirmed);
    assert_eq!(order.total.as_ref().unwrap().minor_units, 3000);
    assert_eq!(
        order.lines[0].unit_price.as_ref().unwrap().minor_units,
        1000
    );
    calls.settled(PATIENCE).await;
    assert_eq!(calls.level("MUG").await.committed, 3);
    let payment = calls.payment_of(&order.id).await;
    assert_eq!(payment.state(), PaymentState::Captured);
    assert_eq!(payment.captured.unwrap().minor_units, 3000);

    let fulfillment = fulfil(&shop, &order.id).await;
    assert_eq!(fulfillment.fulfillment.unwrap().state(), WorkState::Done);
    assert_eq!(fulfillment.order.unwrap().state(), OrderState::Fulfilled);
    let level = calls.level("MUG").await;
    assert_eq!((level.on_hand, level.committed), (7, 0));

    let returned = return_one(&shop, &order.id).await;
    assert_eq!(returned.order_return.unwrap().state(), WorkState::Done);
    let order = returned.order.unwrap();
    assert_eq!(order.refunded.as_ref().unwrap().minor_units, 1000);
    assert_eq!(order.payment_state(), OrderPaymentState::PartiallyRefunded);
    assert_eq!(calls.level("MUG").await.on_hand, 8);

    let refund = RefundOrderRequest {
        order_id: order.id.clone(),
        reason: "goodwill".to_owned(),
        ..Default::default()
    };
    let refunded = rpc::call(refund, Some("refund"), PATIENCE, |request| {
        let mut client = calls.orders.clone();
        async move { client.refund_order(request).await }
    });
    let refunded = refunded.await.unwrap();
    assert_eq!(refunded.amount.unwrap().minor_units, 2000);
    calls.settled(PATIENCE).await;
    assert_eq!(
        calls.order(&order.id).await.payment_state(),
        OrderPaymentState::Refunded
    );

    let mut client = calls.orders.clone();
    let timeline = client.get_order_timeline(GetOrderTimelineRequest {
        order_id: order.id.clone(),
    });
    let timeline = timeline.await.unwrap().into_inner();
    let sequences: Vec<i64> = timeline.events.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, (1..=sequences.len() as i64).collect::<Vec<_>>());
    assert_eq!(timeline.events[0].kind, "placed");
    assert_eq!(calls.violations().await, vec![]);
}

async fn fulfil(shop: &Shop, order_id: &str) -> pb::CreateFulfillmentResponse {
    let request = CreateFulfillmentRequest {
        order_id: order_id.to_owned(),
        ..Default::default()
    };
    rpc::call(request, Some("fulfil"), PATIENCE, |request| {
        let mut client = shop.calls.orders.clone();
        async move { client.create_fulfillment(request).await }
    })
    .await
    .unwrap()
}

async fn return_one(shop: &Shop, order_id: &str) -> pb::ReceiveReturnResponse {
    let announced = CreateReturnRequest {
        order_id: order_id.to_owned(),
        lines: vec![LineQuantity {
            line_number: 1,
            quantity: 1,
        }],
        restock: true,
        ..Default::default()
    };
    let announced = rpc::call(announced, Some("return"), PATIENCE, |request| {
        let mut client = shop.calls.orders.clone();
        async move { client.create_return(request).await }
    });
    let announced = announced.await.unwrap().order_return.unwrap();
    assert_eq!(announced.state(), WorkState::Requested);
    let received = ReceiveReturnRequest {
        return_id: announced.id,
    };
    rpc::call(received, Some("receive"), PATIENCE, |request| {
        let mut client = shop.calls.orders.clone();
        async move { client.receive_return(request).await }
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_order_says_why_and_leaves_nothing_behind() {
    let shop = Shop::start().await;
    let calls = &shop.calls;
    calls.stocked("RARE", 2).await;

    let short = calls
        .create("short", order_request(vec![line("RARE", 3)]))
        .await
        .unwrap_err();
    assert_eq!(reason(&short), Some(Reason::OutOfStock));

    let mut declined = order_request(vec![line("RARE", 1)]);
    declined.payment_method = "pm_card_chargeDeclined".to_owned();
    let declined = calls.create("declined", declined).await.unwrap_err();
    let remote = Remote::from(&declined);
    assert_eq!(remote.reason, Some(Reason::PaymentDeclined));
    let rejected = calls.order(&remote.metadata["order_id"]).await;
    assert_eq!(rejected.state(), OrderState::Rejected);
    assert_eq!(rejected.reason.unwrap().code, "PAYMENT_DECLINED");

    let mut cheaper = order_request(vec![line("RARE", 1)]);
    cheaper.expected_total = Some(api::common::v1::Money {
        minor_units: 999,
        currency_code: "GBP".to_owned(),
    });
    let mismatch = calls.create("cheaper", cheaper).await.unwrap_err();
    assert_eq!(reason(&mismatch), Some(Reason::TotalMismatch));

    let unknown = calls
        .create("unknown", order_request(vec![line("NONE", 1)]))
        .await
        .unwrap_err();
    assert_eq!(reason(&unknown), Some(Reason::UnknownSku));

    calls.settled(PATIENCE).await;
    let level = calls.level("RARE").await;
    assert_eq!((level.held, level.committed, level.available), (0, 0, 2));
    assert_eq!(calls.violations().await, vec![]);
}

fn reason(status: &tonic::Status) -> Option<Reason> {
    Remote::from(status).reason
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_cancelled_after_capture_gives_money_and_stock_back() {
    let shop = Shop::start().await;
    let calls = &shop.calls;
    calls.stocked("MUG", 5).await;
    let order = calls
        .create("one", order_request(vec![line("MUG", 5)]))
        .await
        .unwrap();
    calls.settled(PATIENCE).await;
    calls.cancel(&order.id).await.unwrap();
    calls.settled(PATIENCE).await;
    assert_eq!(calls.order(&order.id).await.state(), OrderState::Cancelled);
    let payment = calls.payment_of(&order.id).await;
    assert_eq!(payment.refunded, payment.captured);
    assert_eq!(calls.level("MUG").await.available, 5);
    assert_eq!(
        calls.cancel(&order.id).await.unwrap().state(),
        OrderState::Cancelled
    );
    assert_eq!(calls.violations().await, vec![]);
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_of_unknown_outcome_reach_their_end() {
    let shop = Shop::start().await;
    let calls = &shop.calls;
    calls.stocked("MUG", 100).await;
    for (method, end) in [
        ("pm_sim_timeout_but_succeeded", OrderState::Confirmed),
        ("pm_sim_timeout_and_failed", OrderState::Rejected),
        ("pm_sim_webhook_first", OrderState::Confirmed),
        ("pm_sim_dup_webhook", OrderState::Confirmed),
        ("pm_sim_slow_2s", OrderState::Confirmed),
        ("pm_sim_capture_fails", OrderState::Cancelled),
    ] {
        let mut request = order_request(vec![line("MUG", 1)]);
        request.payment_method = method.to_owned();
        request.wait = pb::CreateOrderWait::Accepted.into();
        let order = calls.create(method, request).await.unwrap();
        calls.settled(Duration::from_secs(60)).await;
        let order = calls.order(&order.id).await;
        assert_eq!(order.state(), end, "{method}: {:?}", order.reason);
    }
    assert_eq!(calls.violations().await, vec![]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_promised_stock_is_gone_waits_for_a_person_who_cancels_it() {
    let shop = Shop::start().await;
    let calls = &shop.calls;
    calls.stocked("MUG", 10).await;
    let order = calls.create("one", order_request(vec![line("MUG", 8)]));
    let order = order.await.unwrap();
    calls.settled(PATIENCE).await;
    let broken = calls.set_stock("MUG", 5).await;
    assert_eq!(broken, std::slice::from_ref(&order.id));
    calls.reached(&order.id, OrderState::NeedsAttention).await;

    let resolve = pb::ResolveSagaRequest {
        order_id: order.id.clone(),
        resolution: pb::SagaResolution::Cancel.into(),
        reason: "water damage".to_owned(),
        etag: String::new(),
    };
    rpc::call(resolve, Some("resolve"), PATIENCE, |request| {
        let mut client = calls.order_admin.clone();
        async move { client.resolve_saga(request).await }
    })
    .await
    .unwrap();
    calls.reached(&order.id, OrderState::Cancelled).await;
    let payment = calls.payment_of(&order.id).await;
    assert_eq!(payment.refunded, payment.captured);
    assert_eq!(calls.level("MUG").await.available, 5);
    assert_eq!(calls.violations().await, vec![]);
}
