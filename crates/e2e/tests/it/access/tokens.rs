//! Tokens that prove nothing, and unusual ones that do, on the live services.

use std::collections::BTreeMap;

use api::contract::Method;
use auth::{
    developer::{AUDIENCE, ISSUER},
    hostile::{self, Target},
};
use e2e::{Shop, raw};
use http::HeaderValue;
use prost_reflect::DynamicMessage;
use rpc::ANY_CUSTOMER;

use super::{Answer, SETTINGS, over_grpc, over_http};

async fn both(shop: &Shop, method: &Method, token: &str) -> [Answer; 2] {
    let message = DynamicMessage::new(method.descriptor.input());
    let bearer = format!("Bearer {token}");
    let metadata = [("authorization", bearer.as_str())];
    let by_grpc = raw::call(&shop.calls.channel(method), method, &message, &metadata).await;
    let url = format!("{}/api/orders", shop.rest["order"]);
    let by_http = reqwest::Client::new().get(url).bearer_auth(token).send();
    [
        over_grpc::answer(by_grpc),
        over_http::answer(by_http.await.unwrap()).await,
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_tokens_are_refused_and_good_ones_are_not() {
    let shop = Shop::start_with(&SETTINGS[..2]).await;
    let methods = api::contract::methods(&e2e::SERVICES).unwrap();
    let list = methods
        .iter()
        .find(|method| method.path.ends_with("/ListOrders"))
        .unwrap();
    let scope = format!("orders:read {ANY_CUSTOMER}");
    let target = Target {
        key: &shop.issuer.key,
        issuer: ISSUER,
        audience: AUDIENCE,
        subject: "bob",
        scope: &scope,
    };
    let fits = |token: &str| HeaderValue::from_str(&format!("Bearer {token}")).is_ok();
    let mut refused = BTreeMap::new();
    for (flaw, token) in hostile::bad_tokens(&target) {
        // Such a token would end before it is sent, or be more than one header
        // may hold.
        if !fits(&token) || token.len() > 8_000 || token.trim() != token {
            continue;
        }
        for answer in both(&shop, list, &token).await {
            let reason = answer.reason.as_deref().unwrap_or("OK");
            assert_eq!(reason, "UNAUTHENTICATED", "{flaw}: {answer:?}");
            assert!(answer.metadata.contains_key("token_error"), "{flaw}");
        }
        refused.insert(flaw, ());
    }
    assert!(refused.len() >= 60, "only {} bad tokens", refused.len());
    for (what, token) in hostile::good_tokens(&target) {
        for answer in both(&shop, list, &token).await {
            assert_eq!(answer.reason, None, "{what}: {answer:?}");
        }
    }
    println!("{} bad tokens refused", refused.len());
}
