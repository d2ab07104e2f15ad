//! What a page in a browser needs: gRPC-Web, leave of another origin, and to
//! be told when to come again.

use std::time::Duration;

use api::order::v1::{ListOrdersRequest, ListOrdersResponse};
use e2e::Shop;
use prost::Message;
use reqwest::{Client, Method, StatusCode};
use tonic::Code;

const PAGE: &str = "https://shop.example";
const LIST: &str = "/cartwright.order.v1.OrderService/ListOrders";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_an_allowed_origin_may_call_by_grpc_web_and_rest() {
    let allowed = ("CARTWRIGHT__HTTP__CORS__ALLOWED_ORIGINS", PAGE);
    let shop = Shop::start_with(&[allowed]).await;
    let client = Client::new();
    let grpc = format!("{}{LIST}", shop.client_env["CARTWRIGHT_ORDER_URL"]);
    let rest = format!("{}/api/orders", shop.rest["order"]);
    for (url, verb) in [(&grpc, "POST"), (&rest, "POST")] {
        for (origin, is_allowed) in [(PAGE, true), ("https://evil.example", false)] {
            let preflight = client
                .request(Method::OPTIONS, url.as_str())
                .header("origin", origin)
                .header("access-control-request-method", verb)
                .header("access-control-request-headers", "authorization,x-grpc-web");
            let answer = preflight.send().await.unwrap();
            let allows = answer.headers().get("access-control-allow-origin");
            assert_eq!(allows.is_some(), is_allowed, "{origin} at {url}");
        }
    }
    // A frame: a byte of flags, four of length, the message.
    let message = ListOrdersRequest::default().encode_to_vec();
    let mut frame = vec![0, 0, 0, 0, u8::try_from(message.len()).unwrap()];
    frame.extend(message);
    let call = client
        .post(&grpc)
        .header("origin", PAGE)
        .header("content-type", "application/grpc-web+proto")
        .header("x-grpc-web", "1")
        .bearer_auth(shop.calls.token())
        .body(frame);
    let answer = call.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["access-control-allow-origin"], PAGE);
    let body = answer.bytes().await.unwrap();
    let length = u32::from_be_bytes(body[1..5].try_into().unwrap()) as usize;
    ListOrdersResponse::decode(&body[5..5 + length]).unwrap();
    let trailers = String::from_utf8_lossy(&body[5 + length + 5..]);
    assert!(trailers.contains("grpc-status:0"), "{trailers}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_who_asks_too_much_is_told_when_to_come_again() {
    let settings = [
        ("CARTWRIGHT__LIMITS__CUSTOMER__PER_SECOND", "1"),
        ("CARTWRIGHT__LIMITS__CUSTOMER__BURST", "20"),
    ];
    let shop = Shop::start_with(&settings).await;
    let ada = shop.issuer.token("ada", ["orders:read"]);
    let url = format!("{}/api/orders", shop.rest["order"]);
    let list = || Client::new().get(&url).bearer_auth(&ada).send();
    let refused = loop {
        let answer = list().await.unwrap();
        if answer.status() != StatusCode::OK {
            break answer;
        }
    };
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let seconds: u64 = refused.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    let problem: serde_json::Value = refused.json().await.unwrap();
    assert_eq!(problem["reason"], "RATE_LIMITED");
    assert_eq!(problem["metadata"]["limit"], "customer");

    let mut orders = shop.calls.with_token(ada.clone()).orders;
    let status = loop {
        match orders.list_orders(ListOrdersRequest::default()).await {
            Ok(_) => {}
            Err(status) => break status,
        }
    };
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(
        rpc::Remote::from(&status).retry_after.is_some(),
        "{status:?}"
    );
    // One customer's limit is nobody else's.
    let eve = shop
        .calls
        .with_token(shop.issuer.token("eve", ["orders:read"]));
    eve.orders
        .clone()
        .list_orders(ListOrdersRequest::default())
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(seconds + 1)).await;
    assert_eq!(list().await.unwrap().status(), StatusCode::OK);
}
