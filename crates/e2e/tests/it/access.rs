//! Nobody can do what is not theirs: every method of the contract, over gRPC
//! and over HTTP, with everything that must be refused and what must not. The
//! list comes from the descriptors, so that a new method is in it by itself.

mod callers;
mod over_grpc;
mod over_http;
mod peers;
mod tokens;

use std::collections::BTreeMap;

use api::contract::{self, Method};
use e2e::{SERVICES, Shop};
use futures::{StreamExt, stream};

use self::callers::{Callers, Expected};

/// What of an order no stranger may ever see.
const SECRET: &str = "reference-of-ada";

/// Limits would refuse what is to be refused for other reasons, and an expired
/// token is to be refused at once.
const SETTINGS: [(&str, &str); 3] = [
    ("CARTWRIGHT__LIMITS__ADDRESS__PER_SECOND", "0"),
    ("CARTWRIGHT__LIMITS__CUSTOMER__PER_SECOND", "0"),
    ("CARTWRIGHT__AUTH__LEEWAY_S", "0"),
];

/// What came back, whatever it came over.
#[derive(Debug)]
struct Answer {
    reason: Option<String>,
    metadata: BTreeMap<String, String>,
    /// All bytes of a good answer.
    body: Vec<u8>,
}

/// A shop in which ada has an order.
struct World {
    shop: Shop,
    methods: Vec<Method>,
    order_id: String,
}

impl World {
    async fn new() -> Self {
        let shop = Shop::start_with(&SETTINGS).await;
        shop.calls.stocked("mug", 1_000).await;
        let mut request = e2e::order_request(vec![e2e::line("mug", 1)]);
        request.reference = SECRET.to_owned();
        let order = shop.calls.create("for-access", request).await.unwrap();
        Self {
            shop,
            methods: contract::methods(&SERVICES).unwrap(),
            order_id: order.id,
        }
    }
}

/// Everything that is wrong with an answer to somebody.
fn wrong(method: &Method, who: &str, expected: &Expected, answer: &Answer) -> Option<String> {
    let reason = answer.reason.as_deref().unwrap_or("OK");
    let told = |key: &str| answer.metadata.get(key).map(String::as_str);
    let is_right = match expected {
        Expected::Unauthenticated(why) => {
            reason == "UNAUTHENTICATED" && told("token_error") == Some(*why)
        }
        Expected::Denied(scope) => reason == "SCOPE_MISSING" && told("scope") == Some(scope),
        Expected::NotFound => reason == "NOT_FOUND",
        Expected::Nothing => !contains(&answer.body, SECRET),
        // The price is a field's scope, and no method's.
        Expected::LetIn if told("scope") == Some("orders:price") => true,
        Expected::LetIn => !matches!(
            reason,
            "UNAUTHENTICATED" | "SCOPE_MISSING" | "UNKNOWN_METHOD" | "INTERNAL" | "RATE_LIMITED"
        ),
        Expected::Ok => answer.reason.is_none(),
    };
    let path = &method.path;
    (!is_right).then(|| format!("{path}, {who}: expected {expected:?}, got {answer:?}"))
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_method_refuses_all_but_the_right_callers_over_grpc_and_http() {
    let world = World::new().await;
    let callers = Callers::new(&world.shop.issuer).await;
    let before = world.shop.calls.all_orders().await;
    let mut cases = Vec::new();
    for method in &world.methods {
        for (who, token, expected) in callers.of(method) {
            cases.push((method, who, token, expected));
        }
    }
    assert!(cases.len() > 300, "only {} cases", cases.len());
    let (world, mut calls) = (&world, 0);
    let mut all = Vec::new();
    let answers = stream::iter(cases).map(|(method, who, token, expected)| async move {
        let token = token.as_deref();
        let mut answers = vec![over_grpc::call(world, method, who, token).await];
        for http in &method.http {
            answers.push(over_http::call(world, method, http, who, token).await);
        }
        let count = answers.len();
        let check = |answer| wrong(method, who, &expected, answer);
        (count, answers.iter().filter_map(check).collect::<Vec<_>>())
    });
    let mut answers = std::pin::pin!(answers.buffer_unordered(8));
    while let Some((count, wrong)) = answers.next().await {
        calls += count;
        all.extend(wrong);
    }
    assert!(all.is_empty(), "{} of {calls}: {all:#?}", all.len());
    let after = world.shop.calls.all_orders().await;
    assert_eq!(before.len(), after.len(), "nobody ordered for ada");
    println!("{calls} calls of {} methods", world.methods.len());
}
