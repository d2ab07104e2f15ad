//! A bit of everything that happens in a shop.

use std::time::Duration;

use api::order::v1 as pb;
use e2e::{Shop, line, order_request};
use reqwest::{Client, StatusCode};
use rpc::{Reason, Remote};
use serde_json::json;
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use super::PATIENCE;

pub async fn live_through(shop: &Shop) {
    shop.calls.stocked("MUG", 10_000).await;
    shop.calls.stocked("RARE", 2).await;
    sell_and_take_back(shop).await;
    refuse(shop).await;
    pay_in_odd_ways(shop).await;
    break_a_promise(shop).await;
    serve_over_rest(shop).await;
    look_around(shop).await;
    shop.calls.settled(PATIENCE).await;
    assert_eq!(shop.calls.violations().await, vec![]);
    // Events are consumed, gauges are read, settings are looked at.
    tokio::time::sleep(Duration::from_secs(3)).await;
}

async fn act<M, R, F, Fut>(message: M, send: F) -> R
where
    M: Clone + prost::Name,
    F: Fn(Request<M>) -> Fut,
    Fut: Future<Output = Result<Response<R>, Status>>,
{
    let key = Uuid::now_v7().to_string();
    rpc::call(message, Some(&key), PATIENCE, send)
        .await
        .unwrap()
}

async fn place(shop: &Shop, key: &str, quantity: i64) -> pb::Order {
    let order = shop
        .calls
        .create(key, order_request(vec![line("MUG", quantity)]));
    order.await.unwrap()
}

async fn sell_and_take_back(shop: &Shop) {
    let orders = &shop.calls.orders;
    let order = place(shop, "day-1", 3).await;
    assert_eq!(place(shop, "day-1", 3).await.id, order.id, "a replay");
    shop.calls.settled(PATIENCE).await;
    let order_id = order.id;
    let fulfil = pb::CreateFulfillmentRequest {
        order_id: order_id.clone(),
        ..Default::default()
    };
    act(fulfil, |request| {
        let mut client = orders.clone();
        async move { client.create_fulfillment(request).await }
    })
    .await;
    let announce = pb::CreateReturnRequest {
        order_id: order_id.clone(),
        lines: vec![pb::LineQuantity {
            line_number: 1,
            quantity: 1,
        }],
        restock: true,
        ..Default::default()
    };
    let announced = act(announce, |request| {
        let mut client = orders.clone();
        async move { client.create_return(request).await }
    });
    let return_id = announced.await.order_return.unwrap().id;
    act(pb::ReceiveReturnRequest { return_id }, |request| {
        let mut client = orders.clone();
        async move { client.receive_return(request).await }
    })
    .await;
    let refund = pb::RefundOrderRequest {
        order_id,
        reason: "goodwill".to_owned(),
        ..Default::default()
    };
    act(refund, |request| {
        let mut client = orders.clone();
        async move { client.refund_order(request).await }
    })
    .await;
    let other = place(shop, "day-2", 1).await;
    shop.calls.settled(PATIENCE).await;
    shop.calls.cancel(&other.id).await.unwrap();
}

async fn refuse(shop: &Shop) {
    let reason = async |key: &str, request| {
        let status = shop.calls.create(key, request).await.unwrap_err();
        Remote::from(&status).reason
    };
    let short = order_request(vec![line("RARE", 3)]);
    assert_eq!(reason("short", short).await, Some(Reason::OutOfStock));
    let unknown = order_request(vec![line("NONE", 1)]);
    assert_eq!(reason("unknown", unknown).await, Some(Reason::UnknownSku));
    let mut declined = order_request(vec![line("MUG", 1)]);
    declined.payment_method = "pm_card_chargeDeclined".to_owned();
    let declined = reason("declined", declined).await;
    assert_eq!(declined, Some(Reason::PaymentDeclined));
    let invalid = order_request(vec![line("MUG", -1)]);
    assert_eq!(reason("invalid", invalid).await, Some(Reason::InvalidField));
    let changed = order_request(vec![line("MUG", 7)]);
    assert!(
        reason("day-1", changed).await.is_some(),
        "another call, the same key"
    );
    let nobody = shop.calls.with_token("no.token.atall".to_owned());
    let denied = nobody.create("denied", order_request(vec![line("MUG", 1)]));
    assert_eq!(denied.await.unwrap_err().code(), Code::Unauthenticated);
    let ada = shop.issuer.token("ada", ["orders:read"]);
    let denied = shop.calls.with_token(ada);
    let denied = denied
        .create("scope", order_request(vec![line("MUG", 1)]))
        .await;
    assert_eq!(denied.unwrap_err().code(), Code::PermissionDenied);
}

async fn pay_in_odd_ways(shop: &Shop) {
    for method in [
        "pm_sim_timeout_but_succeeded",
        "pm_sim_webhook_first",
        "pm_sim_dup_webhook",
        "pm_sim_capture_fails",
    ] {
        let mut request = order_request(vec![line("MUG", 1)]);
        request.payment_method = method.to_owned();
        request.wait = pb::CreateOrderWait::Accepted.into();
        shop.calls.create(method, request).await.unwrap();
    }
    shop.calls.settled(Duration::from_secs(60)).await;
    let url = format!("{}/webhooks/stripe", shop.rest["payment"]);
    let forged = Client::new()
        .post(url)
        .header("stripe-signature", "t=1,v1=00");
    let forged = forged.body("{}").send().await.unwrap();
    assert_eq!(forged.status(), StatusCode::BAD_REQUEST);
}

async fn break_a_promise(shop: &Shop) {
    let order = shop
        .calls
        .create("rare", order_request(vec![line("RARE", 2)]));
    let order_id = order.await.unwrap().id;
    shop.calls.settled(PATIENCE).await;
    assert_eq!(
        shop.calls.set_stock("RARE", 1).await,
        std::slice::from_ref(&order_id)
    );
    shop.calls
        .reached(&order_id, pb::OrderState::NeedsAttention)
        .await;
    let resolve = pb::ResolveSagaRequest {
        order_id,
        resolution: pb::SagaResolution::Cancel.into(),
        reason: "water damage".to_owned(),
        etag: String::new(),
    };
    act(resolve, |request| {
        let mut client = shop.calls.order_admin.clone();
        async move { client.resolve_saga(request).await }
    })
    .await;
}

async fn serve_over_rest(shop: &Shop) {
    let (client, url) = (Client::new(), format!("{}/api/orders", shop.rest["order"]));
    let token = shop.calls.token();
    let place = client.post(&url).bearer_auth(token).json(&json!({
        "customer_id": "ada", "currency_code": "GBP", "payment_method": "pm_card_visa",
        "lines": [{"sku": "MUG", "quantity": 2}],
    }));
    let placed = place
        .header("idempotency-key", "rest")
        .send()
        .await
        .unwrap();
    assert_eq!(placed.status(), StatusCode::CREATED);
    for (path, status) in [
        ("?page_size=5", StatusCode::OK),
        (
            "/00000000-0000-7000-8000-000000000000",
            StatusCode::NOT_FOUND,
        ),
        ("?page_size=x", StatusCode::BAD_REQUEST),
    ] {
        let answer = client.get(format!("{url}{path}")).bearer_auth(token).send();
        assert_eq!(answer.await.unwrap().status(), status, "{path}");
    }
    let nobody = client.get(&url).send().await.unwrap();
    assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);
}

/// Reads, and a level of the log that changes and changes back.
async fn look_around(shop: &Shop) {
    let orders = shop.calls.all_orders().await;
    shop.calls.payment_of(&orders[0].id).await;
    let watch = pb::WatchOrderRequest {
        order_id: orders[0].id.clone(),
        ..Default::default()
    };
    let mut client = shop.calls.orders.clone();
    let mut events = client.watch_order(watch).await.unwrap().into_inner();
    events.message().await.unwrap();
    let level = format!("http://{}/log/level", shop.order.private());
    for wanted in ["info", "debug"] {
        let put = Client::new().put(&level).body(wanted).send().await.unwrap();
        assert_eq!(put.status(), StatusCode::OK);
    }
}
