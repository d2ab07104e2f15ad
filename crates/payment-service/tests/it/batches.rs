//! Batches: each item is the single call.

use std::collections::HashMap;
use std::time::Duration;

use api::payment::v1 as pb;
use rpc::{Reason, Remote};
use types::OrderId;

use crate::shop::{Shop, Wishes, capturing, creation, keyed, reason};

fn item(key: &str, request: Option<pb::CreatePaymentRequest>) -> pb::BatchCreatePaymentsItem {
    pb::BatchCreatePaymentsItem {
        idempotency_key: key.to_owned(),
        request,
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
    }
}

/// Else an item of many is given up after a call's usual ten seconds.
fn patiently<M>(message: M) -> tonic::Request<M> {
    let mut request = tonic::Request::new(message);
    request.set_timeout(Duration::from_secs(60));
    request
}

type Created = HashMap<i32, Result<pb::Payment, Reason>>;

async fn create_all(shop: &Shop, items: Vec<pb::BatchCreatePaymentsItem>) -> Created {
    use pb::batch_create_payments_response::Outcome;
    let request = patiently(pb::BatchCreatePaymentsRequest { items });
    let stream = shop.client.clone().batch_create_payments(request).await;
    let mut stream = stream.unwrap().into_inner();
    let mut outcomes = HashMap::new();
    while let Some(answer) = stream.message().await.unwrap() {
        let outcome = match answer.outcome.unwrap() {
            Outcome::Payment(payment) => Ok(payment),
            Outcome::Error(error) => Err(Remote::from(&error).reason.unwrap()),
        };
        assert!(outcomes.insert(answer.index, outcome).is_none());
    }
    outcomes
}

#[tokio::test]
async fn every_item_is_answered_by_itself() {
    let shop = Shop::open().await;
    let new = |method: &str| Some(creation(OrderId::generate(), 1, 1_000, method));
    let paid = OrderId::generate();
    shop.create(paid, "pm_card_visa").await.unwrap();
    let items = vec![
        item("0", new("pm_card_visa")),
        item("1", new("pm_card_chargeDeclined")),
        item("2", new("4242424242424242")),
        item("", new("pm_card_visa")),
        item("4", None),
        item("5", Some(creation(paid, 2, 1_000, "pm_card_visa"))),
        item("6", new("pm_card_authenticationRequired")),
        item("0", new("pm_card_visa")),
    ];
    let outcomes = create_all(&shop, items).await;
    assert_eq!(outcomes.len(), 8);
    let state = |index: i32| outcomes[&index].as_ref().map(pb::Payment::state);
    assert_eq!(state(1), Err(&Reason::PaymentDeclined));
    assert_eq!(state(2), Err(&Reason::InvalidField));
    assert_eq!(state(3), Err(&Reason::IdempotencyKeyInvalid));
    assert_eq!(state(4), Err(&Reason::InvalidField));
    assert_eq!(state(5), Err(&Reason::PaymentExists));
    assert_eq!(state(6), Ok(pb::PaymentState::RequiresAction));
    // Of two items with one key, one is made and the other one is refused.
    let mut twins = [state(0), state(7)];
    twins.sort_by_key(Result::is_err);
    assert_eq!(
        twins,
        [
            Ok(pb::PaymentState::Authorized),
            Err(&Reason::IdempotencyKeyReused)
        ]
    );
    shop.assert_sound().await;
}

#[tokio::test]
async fn five_hundred_orders_are_paid_and_captured_in_two_calls() {
    let shop = Shop::open_with(Wishes {
        provider_timeout_ms: 20_000,
        ..Wishes::default()
    })
    .await;
    let orders: Vec<OrderId> = (0..500).map(|_| OrderId::generate()).collect();
    let items = orders.iter().map(|order| {
        let request = creation(*order, 1, 1_000, "pm_card_visa");
        item(&format!("create {order}"), Some(request))
    });
    let created = create_all(&shop, items.collect()).await;
    assert_eq!(created.len(), 500);
    let payments: Vec<pb::Payment> = created.into_values().map(Result::unwrap).collect();
    let items = payments.iter().map(|payment| pb::BatchCapturePaymentsItem {
        idempotency_key: format!("capture {}", payment.id),
        request: Some(capturing(&payment.id, None)),
        traceparent: String::new(),
    });
    let request = patiently(pb::BatchCapturePaymentsRequest {
        items: items.collect(),
    });
    let stream = shop.client.clone().batch_capture_payments(request).await;
    let mut stream = stream.unwrap().into_inner();
    let mut captured = 0;
    while let Some(answer) = stream.message().await.unwrap() {
        use pb::batch_capture_payments_response::Outcome;
        let Some(Outcome::Response(made)) = answer.outcome else {
            panic!("{answer:?}");
        };
        assert_eq!(made.payment.unwrap().state(), pb::PaymentState::Captured);
        captured += 1;
    }
    assert_eq!(captured, 500);
    assert_eq!(shop.their_total("gbp", "captured_minor").await, 500_000);
    // A single call with an item's key has the item's answer.
    let payment = &payments[0];
    let order = payment.order_id.parse().unwrap();
    let key = format!("create {}", payment.order_id);
    let single = shop
        .create_keyed(&key, creation(order, 1, 1_000, "pm_card_visa"))
        .await;
    assert_eq!(single.unwrap(), *payment);
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_caller_who_hangs_up_cancels_no_item() {
    let shop = Shop::open().await;
    let orders: Vec<OrderId> = (0..20).map(|_| OrderId::generate()).collect();
    let items = orders.iter().map(|order| {
        let request = creation(*order, 1, 1_000, "pm_card_visa");
        item(&format!("create {order}"), Some(request))
    });
    let request = pb::BatchCreatePaymentsRequest {
        items: items.collect(),
    };
    shop.faults(serde_json::json!({ "delay_ms": 200 })).await;
    let stream = shop.client.clone().batch_create_payments(request).await;
    drop(stream.unwrap());
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while shop
        .count("select count(*) from payments where state = 4")
        .await
        < 20
    {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    shop.faults(serde_json::json!({})).await;
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_single_caller_who_hangs_up_cancels_nothing() {
    let shop = Shop::open().await;
    let order = OrderId::generate();
    shop.faults(serde_json::json!({ "delay_ms": 300 })).await;
    let mut client = shop.client.clone();
    let call = client.create_payment(keyed("key", creation(order, 1, 1_000, "pm_card_visa")));
    let hung_up = tokio::time::timeout(Duration::from_millis(150), call).await;
    assert!(hung_up.is_err());
    let payment = loop {
        match shop.of_order(order).await {
            Ok(payment) => break payment,
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    };
    shop.wait_for_state(&payment.id, pb::PaymentState::Authorized)
        .await;
    shop.faults(serde_json::json!({})).await;
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_batch_has_one_to_five_hundred_and_twelve_items() {
    let shop = Shop::open().await;
    for items in [0, 513] {
        let request = pb::BatchCreatePaymentsRequest {
            items: vec![item("k", None); items],
        };
        let refused = shop.client.clone().batch_create_payments(request).await;
        assert_eq!(reason(refused.map(|_| ())), Reason::InvalidField);
    }
}
