//! A stop under load: callers on connections of their own see every call
//! through, or are refused before anything was done.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use api::order::v1::{OrderState, order_service_client::OrderServiceClient};
use e2e::{Shop, line, order_request};
use futures::future::join_all;
use reqwest::{Client, StatusCode};
use rpc::{Authorized, PeerSettings, Token};
use tonic::Code;

const PATIENCE: Duration = Duration::from_secs(60);
/// For how long the API serves after it said that it is not ready.
const REMOVAL: Duration = Duration::from_secs(3);
/// How many orders there are when the stop comes: the load is steady by then.
const PLACED_BEFORE: usize = 60;
const CONNECTIONS: usize = 4;
const LOOPS_PER_CONNECTION: usize = 3;

/// One call of the load.
#[derive(Debug)]
struct Call {
    key: String,
    began: Instant,
    /// The order's id, or why there is none.
    answer: Result<String, String>,
}

/// One client: calls in a loop until it is refused, which ends it, as it would
/// then turn to another replica.
async fn load<F>(client: String, placed: Arc<AtomicUsize>, call: impl Fn(String) -> F) -> Vec<Call>
where
    F: Future<Output = Result<String, String>>,
{
    let mut calls = Vec::new();
    loop {
        let key = format!("{client}-{}", calls.len());
        let began = Instant::now();
        let answer = call(key.clone()).await;
        placed.fetch_add(1, Ordering::Relaxed);
        let is_refused = answer.is_err();
        calls.push(Call { key, began, answer });
        if is_refused {
            return calls;
        }
    }
}

fn mug() -> api::order::v1::CreateOrderRequest {
    order_request(vec![line("MUG", 1)])
}

/// A client with a connection of its own, which it shares among its loops.
fn over_grpc(shop: &Shop) -> OrderServiceClient<Authorized> {
    let url = &shop.client_env["CARTWRIGHT_ORDER_URL"];
    let channel = rpc::connect(&PeerSettings::at(url), None).unwrap();
    let token = Token::default();
    token.set(Some(&shop.calls.token().into())).unwrap();
    OrderServiceClient::new(Authorized::new(channel, token))
}

/// Anything but a refusal before the call was begun is a failure of the drain.
async fn place_over_grpc(
    client: &OrderServiceClient<Authorized>,
    key: String,
) -> Result<String, String> {
    let answer = rpc::call(mug(), Some(&key), PATIENCE, |request| {
        let mut client = client.clone();
        async move { client.create_order(request).await }
    });
    match answer.await {
        Ok(created) => Ok(created.order.unwrap().id),
        Err(status) if status.code() == Code::Unavailable => Err(status.to_string()),
        Err(status) => panic!("{key}: {status:?}"),
    }
}

async fn place_over_rest(
    client: &Client,
    url: &str,
    token: &str,
    key: String,
) -> Result<String, String> {
    let body = serde_json::json!({
        "customer_id": "ada",
        "currency_code": "GBP",
        "lines": [{"sku": "MUG", "quantity": "1"}],
        "payment_method": "pm_card_visa",
    });
    let request = client.post(url).bearer_auth(token).json(&body);
    match request.header("idempotency-key", &key).send().await {
        Ok(answer) => {
            let status = answer.status();
            let order: serde_json::Value = answer.json().await.unwrap();
            assert_eq!(status, StatusCode::CREATED, "{key}: {order}");
            Ok(order["order"]["id"].as_str().unwrap().to_owned())
        }
        Err(error) if error.is_connect() => Err(error.to_string()),
        Err(error) => panic!("{key}: {error:?}"),
    }
}

/// When `/health/ready` first said no.
async fn unready(address: String) -> Instant {
    let url = format!("http://{address}/health/ready");
    let client = Client::new();
    loop {
        let answer = client
            .get(&url)
            .send()
            .await
            .expect("it answers to the end");
        if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
            return Instant::now();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_under_load_refuses_cleanly_and_loses_nothing() {
    let removal = REMOVAL.as_millis().to_string();
    let mut shop = Shop::start_with(&[("CARTWRIGHT__DRAIN__ENDPOINT_REMOVAL_MS", &removal)]).await;
    shop.calls.stocked("MUG", 1_000_000).await;
    let placed = Arc::new(AtomicUsize::new(0));
    let mut loops = Vec::new();
    for connection in 0..CONNECTIONS {
        let client = over_grpc(&shop);
        for n in 0..LOOPS_PER_CONNECTION {
            let client = client.clone();
            let call = move |key| {
                let client = client.clone();
                async move { place_over_grpc(&client, key).await }
            };
            let name = format!("grpc-{connection}-{n}");
            loops.push(tokio::spawn(load(name, placed.clone(), call)));
        }
        let url: Arc<str> = format!("{}/api/orders", shop.rest["order"]).into();
        let (client, token) = (Client::new(), shop.calls.token().to_owned());
        let call = move |key| {
            let (client, url, token) = (client.clone(), url.clone(), token.clone());
            async move { place_over_rest(&client, &url, &token, key).await }
        };
        let name = format!("rest-{connection}");
        loops.push(tokio::spawn(load(name, placed.clone(), call)));
    }
    let began = Instant::now();
    while placed.load(Ordering::Relaxed) < PLACED_BEFORE {
        assert!(began.elapsed() < PATIENCE, "no steady load");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    let watching = tokio::spawn(unready(shop.order.private()));
    shop.order.stop();
    let unready = watching.await.unwrap();
    let calls = join_all(loops).await.into_iter().flat_map(Result::unwrap);
    let calls: Vec<Call> = calls.collect();
    assert_eq!(shop.order.ended(), Some(0), "{}", shop.order.log());

    let (placed, refused): (Vec<&Call>, Vec<&Call>) =
        calls.iter().partition(|call| call.answer.is_ok());
    assert_eq!(refused.len(), CONNECTIONS * (LOOPS_PER_CONNECTION + 1));
    let late = placed.iter().filter(|call| call.began > unready).count();
    assert!(late > 0, "serves on until its endpoints are removed");
    let first = refused.iter().map(|call| call.began).min().unwrap();
    assert!(
        first > unready + REMOVAL / 2,
        "refused before it was unready"
    );
    println!(
        "{} placed, {late} of them after it was unready",
        placed.len()
    );

    shop.order.start().await;
    answers_hold(&shop, &calls).await;
}

/// Each key that was acknowledged is the same order still, and each that was
/// refused is free: one order for each key, confirmed.
async fn answers_hold(shop: &Shop, calls: &[Call]) {
    let client = over_grpc(shop);
    for Call { key, answer, .. } in calls {
        if key.starts_with("grpc") || answer.is_err() {
            let again = place_over_grpc(&client, key.clone()).await.unwrap();
            if let Ok(id) = answer {
                assert_eq!(&again, id, "{key}");
            }
        }
    }
    shop.calls.settled(PATIENCE).await;
    let orders = shop.calls.all_orders().await;
    assert_eq!(orders.len(), calls.len());
    let confirmed = orders
        .iter()
        .filter(|order| order.state() == OrderState::Confirmed);
    assert_eq!(confirmed.count(), orders.len());
    for id in calls.iter().filter_map(|call| call.answer.as_ref().ok()) {
        assert!(orders.iter().any(|order| order.id == *id), "{id} is lost");
    }
    assert_eq!(shop.calls.violations().await, vec![]);
}
