//! What no order can be made of is refused, each field is named, and nothing is
//! written.

use api::order::v1 as pb;
use rpc::Reason;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::shop::{Shop, basket, fresh_key, gbp, keyed, line, reason};

fn fields(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    let Some(bad) = details.bad_request() else {
        return Vec::new();
    };
    bad.field_violations
        .iter()
        .map(|one| one.field.clone())
        .collect()
}

fn with(change: impl Fn(&mut pb::CreateOrderRequest)) -> pb::CreateOrderRequest {
    let mut order = basket();
    change(&mut order);
    order
}

#[tokio::test]
async fn each_bad_field_is_named_and_nothing_is_written() {
    let shop = Shop::open().await;
    let quantity = |quantity| with(move |order| order.lines[0].quantity = quantity);
    let usd = || api::common::v1::Money {
        minor_units: 1,
        currency_code: "USD".to_owned(),
    };
    let table = [
        (quantity(0), "lines[0].quantity"),
        (quantity(-1), "lines[0].quantity"),
        (quantity(1_000_001), "lines[0].quantity"),
        (quantity(1 << 31), "lines[0].quantity"),
        (quantity(i64::MAX), "lines[0].quantity"),
        (with(|order| order.lines.clear()), "lines"),
        (
            with(|order| order.lines = vec![line("pen", 1); 1001]),
            "lines",
        ),
        (
            with(|order| order.lines[1].sku = " mug".to_owned()),
            "lines[1].sku",
        ),
        (
            with(|order| order.currency_code = "XXQ".to_owned()),
            "currency_code",
        ),
        (
            with(|order| order.currency_code = "gbp".to_owned()),
            "currency_code",
        ),
        (
            with(|order| order.customer_id = String::new()),
            "customer_id",
        ),
        (
            with(|order| order.payment_method = String::new()),
            "payment_method",
        ),
        (
            with(|order| order.payment_method = "x".repeat(256)),
            "payment_method",
        ),
        (with(|order| order.reference = "x".repeat(101)), "reference"),
        (
            with(|order| order.reference = "\u{e9}".to_owned()),
            "reference",
        ),
        (with(|order| order.capture_method = 9), "capture_method"),
        (with(|order| order.wait = 9), "wait"),
        (
            with(|order| order.lines[0].unit_price = Some(gbp(-1))),
            "lines[0].unit_price.minor_units",
        ),
        (
            with(|order| order.lines[0].unit_price = Some(usd())),
            "lines[0].unit_price.currency_code",
        ),
        (
            with(|order| order.expected_total = Some(usd())),
            "expected_total.currency_code",
        ),
    ];
    for (order, field) in table {
        let status = shop.create(order).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{field}: {status:?}");
        assert!(
            fields(&status).iter().any(|named| named == field),
            "{field}: {status:?}"
        );
    }
    let listed = shop
        .orders
        .clone()
        .list_orders(pb::ListOrdersRequest::default())
        .await;
    assert!(listed.unwrap().into_inner().orders.is_empty());
    let keys: i64 = sqlx::query_scalar("select count(*) from idempotency_keys")
        .fetch_one(&mut *shop.store.db.acquire().await.unwrap())
        .await
        .unwrap();
    assert_eq!(keys, 0);
}

#[tokio::test]
async fn every_mistake_of_a_request_is_told_at_once() {
    let shop = Shop::open().await;
    let order = with(|order| {
        order.customer_id = String::new();
        order.lines[0].quantity = 0;
        order.lines[1].sku = String::new();
    });
    let status = shop.create(order).await.unwrap_err();
    assert_eq!(
        fields(&status),
        ["customer_id", "lines[0].quantity", "lines[1].sku"]
    );
}

#[tokio::test]
async fn a_total_that_overflows_is_refused_before_anything_is_written() {
    let shop = Shop::open().await;
    let order = with(|order| order.lines[0].unit_price = Some(gbp(i64::MAX / 2)));
    let order = pb::CreateOrderRequest {
        lines: vec![order.lines[0].clone(), order.lines[0].clone()],
        ..order
    };
    let status = shop.create(order).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(reason(&status), Reason::AmountOverflow);
}

#[tokio::test]
async fn a_card_number_is_refused_and_not_repeated() {
    let shop = Shop::open().await;
    for number in [
        "4242424242424242",
        "4242 4242 4242 4242",
        "pm_4242424242424242",
    ] {
        let status = shop.create(crate::shop::paid_by(number)).await.unwrap_err();
        assert_eq!(fields(&status), ["payment_method"]);
        let text = format!("{status:?}");
        assert!(!text.contains("4242"), "{text}");
        let cancel = pb::CancelOrderRequest {
            order_id: uuid::Uuid::nil().to_string(),
            reason: format!("card {number}"),
            etag: String::new(),
        };
        let status = shop
            .orders
            .clone()
            .cancel_order(keyed(&fresh_key(), cancel))
            .await;
        assert_eq!(fields(&status.unwrap_err()), ["reason"]);
        let status = shop.create_with_key(number, basket()).await.unwrap_err();
        assert_eq!(reason(&status), Reason::IdempotencyKeyInvalid);
        let names = with(|order| {
            order.reference = number.to_owned();
            order.customer_id = number.to_owned();
        });
        let status = shop.create(names).await.unwrap_err();
        assert_eq!(fields(&status), ["customer_id", "reference"]);
    }
}

#[tokio::test]
async fn a_message_of_ten_megabytes_is_refused() {
    let shop = Shop::open().await;
    let order = with(|order| order.reference = "x".repeat(10 * 1024 * 1024));
    let status = shop.create(order).await.unwrap_err();
    assert_ne!(status.code(), Code::Internal, "{status:?}");
    let listed = shop
        .orders
        .clone()
        .list_orders(pb::ListOrdersRequest::default())
        .await;
    assert!(listed.unwrap().into_inner().orders.is_empty());
}

#[tokio::test]
async fn other_verbs_name_their_fields_too() {
    let shop = Shop::open().await;
    let mut orders = shop.orders.clone();
    let bad = || "no-uuid".to_owned();
    let cancel = pb::CancelOrderRequest {
        order_id: bad(),
        reason: "x".repeat(201),
        etag: "x".to_owned(),
    };
    let status = orders
        .cancel_order(keyed(&fresh_key(), cancel))
        .await
        .unwrap_err();
    assert_eq!(fields(&status), ["order_id", "reason", "etag"]);
    let ship = pb::CreateFulfillmentRequest {
        order_id: bad(),
        lines: vec![pb::LineQuantity {
            line_number: 0,
            quantity: 0,
        }],
        tracking: "\n".to_owned(),
        etag: String::new(),
    };
    let status = orders
        .create_fulfillment(keyed(&fresh_key(), ship))
        .await
        .unwrap_err();
    let expected = [
        "order_id",
        "lines[0].quantity",
        "lines[0].line_number",
        "tracking",
    ];
    assert_eq!(fields(&status), expected);
    let refund = pb::RefundOrderRequest {
        order_id: bad(),
        amount: Some(gbp(0)),
        ..Default::default()
    };
    let status = orders
        .refund_order(keyed(&fresh_key(), refund))
        .await
        .unwrap_err();
    assert_eq!(fields(&status), ["order_id", "amount.minor_units"]);
    let resolve = pb::ResolveSagaRequest {
        order_id: bad(),
        ..Default::default()
    };
    let status = shop
        .admin
        .clone()
        .resolve_saga(keyed(&fresh_key(), resolve))
        .await
        .unwrap_err();
    assert_eq!(fields(&status), ["order_id", "resolution", "reason"]);
    let get = pb::GetOrderRequest { order_id: bad() };
    assert_eq!(
        fields(&orders.get_order(get).await.unwrap_err()),
        ["order_id"]
    );
}

#[tokio::test]
async fn an_order_that_is_not_there_is_not_found_by_any_verb() {
    let shop = Shop::open().await;
    let id = uuid::Uuid::now_v7().to_string();
    assert_eq!(
        reason(&shop.cancel(&id).await.unwrap_err()),
        Reason::NotFound
    );
    assert_eq!(
        reason(&shop.fulfil(&id).await.unwrap_err()),
        Reason::NotFound
    );
    assert_eq!(
        reason(&shop.refund(&id, None).await.unwrap_err()),
        Reason::NotFound
    );
    let get = pb::GetOrderRequest {
        order_id: id.clone(),
    };
    assert_eq!(
        reason(&shop.orders.clone().get_order(get).await.unwrap_err()),
        Reason::NotFound
    );
    let watch = pb::WatchOrderRequest {
        order_id: id,
        after_sequence: 0,
    };
    let status = shop.orders.clone().watch_order(watch).await.unwrap_err();
    assert_eq!(reason(&status), Reason::NotFound);
}
