//! One trace for each order: from the request through every service, statement,
//! outbox and webhook, also where the work is done for many at once.

mod complete;
mod tree;

use std::{collections::BTreeSet, time::Duration};

use api::order::v1 as pb;
use e2e::{Part, Shop, line, order_request};
use futures::future::join_all;
use serde_json::Value;
use tonic::{Code, Request};
use trace_store::{Kind, ORDER_ID, Span, StatusCode, TraceId, TraceStore};

use self::tree::{Forest, at};

const PATIENCE: Duration = Duration::from_secs(60);
const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const AT_ONCE: usize = 50;

/// A shop that tells a collector everything.
async fn traced(ratio: &str) -> (TraceStore, Shop) {
    let (store, endpoints) = TraceStore::start().await.unwrap();
    let shop = Shop::start_with(&[
        ("CARTWRIGHT__TELEMETRY__OTLP_ENDPOINT", &endpoints.grpc),
        ("CARTWRIGHT__TELEMETRY__SAMPLE_RATIO", ratio),
        ("CARTWRIGHT__LOG__FORMAT", "json"),
        ("CARTWRIGHT__LOG__LEVEL", "debug"),
    ])
    .await;
    shop.calls.stocked("MUG", 10_000).await;
    (store, shop)
}

fn mug() -> pb::CreateOrderRequest {
    order_request(vec![line("MUG", 1)])
}

async fn buy(shop: &Shop, key: &str) -> String {
    shop.calls.create(key, mug()).await.unwrap().id
}

async fn buy_at_once(shop: &Shop) -> Vec<String> {
    let keys: Vec<String> = (0..AT_ONCE).map(|n| format!("at-once-{n}")).collect();
    join_all(keys.iter().map(|key| buy(shop, key))).await
}

/// As a program does that traces itself.
async fn buy_as_part_of_a_trace(shop: &Shop) -> String {
    let mut request = Request::new(mug());
    let metadata = request.metadata_mut();
    metadata.insert("traceparent", CALLER.parse().unwrap());
    metadata.insert("idempotency-key", "traced".parse().unwrap());
    let placed = shop.calls.orders.clone().create_order(request).await;
    placed.unwrap().into_inner().order.unwrap().id
}

/// Waits until all has been told of that was begun, and stops the shop.
async fn finish(shop: &mut Shop, store: &TraceStore, done: impl Fn(&Forest) -> bool) -> Forest {
    shop.calls.settled(PATIENCE).await;
    let is_done = store.wait_until(PATIENCE, |store| done(&Forest::of(store)));
    let is_done = is_done.await;
    let parts: [&mut Part; 4] = [
        &mut shop.order,
        &mut shop.payment,
        &mut shop.inventory,
        &mut shop.simulator,
    ];
    for part in parts {
        assert_eq!(part.terminate(), Some(0), "{}", part.log());
    }
    let lost = store.summary().lost;
    let spans_lost = lost.spans_evicted + lost.spans_beyond_trace + lost.spans_rejected;
    assert_eq!(spans_lost, 0, "{lost:?}");
    if !is_done {
        eprintln!("not all of it was told in time");
    }
    Forest::of(store)
}

/// Checks what holds for every order that was confirmed; gives its trace.
fn check_confirmed(forest: &Forest, order: &str) -> TraceId {
    let traces = forest.traces_of_work(order);
    assert_eq!(traces.len(), 1, "{order}: {traces:?}");
    let trace = traces.into_iter().next().unwrap();
    let drawn = || forest.drawn(trace);
    let missing = complete::missing(forest, trace);
    assert!(missing.is_empty(), "{order}: {missing:#?}\n{}", drawn());
    let adrift = complete::adrift(forest, trace);
    assert!(adrift.is_empty(), "{order}: {adrift:#?}\n{}", drawn());
    let batches = complete::batches(forest, trace);
    let verbs: BTreeSet<&str> = batches
        .iter()
        .filter(|batch| !complete::work_of(forest, batch).is_empty())
        .filter_map(|batch| batch.attribute("batch.verb"))
        .collect();
    for verb in ["reserve", "commit", "CreatePayment", "settle"] {
        assert!(verbs.contains(verb), "{order}: {verbs:?}\n{}", drawn());
    }
    for service in [
        "order-service",
        "inventory-service",
        "payment-service",
        "payment-simulator",
    ] {
        let names_it =
            |span: &Span| span.service == service && span.attribute(ORDER_ID) == Some(order);
        assert!(forest.trace(trace).any(names_it), "{service}\n{}", drawn());
    }
    trace
}

fn parents_that_are_not_there(forest: &Forest) -> Vec<&Span> {
    let lost = |span: &&Span| span.parent_span_id.is_some() && forest.parent(span).is_none();
    forest.all().filter(lost).collect()
}

fn is_told(forest: &Forest, order: &str) -> bool {
    let traces = forest.traces_of_work(order);
    let mut traces = traces.into_iter();
    traces.any(|trace| complete::missing(forest, trace).is_empty())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_one_trace_through_the_whole_shop() {
    let (store, mut shop) = traced("1").await;
    let order = buy_as_part_of_a_trace(&shop).await;
    let forest = finish(&mut shop, &store, |forest| is_told(forest, &order)).await;

    let trace = check_confirmed(&forest, &order);
    assert_eq!(format!("00-{trace}"), CALLER[..35], "the caller's trace");
    let orphans = parents_that_are_not_there(&forest);
    let [root] = orphans[..] else {
        panic!("below the caller is the call alone: {orphans:#?}");
    };
    assert_eq!(root.parent_span_id.unwrap().to_string(), CALLER[36..52]);
    assert_eq!(root.name, "cartwright.order.v1.OrderService/CreateOrder");
    assert_eq!(
        (root.kind, root.attribute(ORDER_ID)),
        (Kind::Server, Some(&*order))
    );

    let drawn = forest.drawn(trace);
    let from_order = at(
        "order-service",
        "cartwright.inventory.v1.InventoryService/BatchReserve",
    );
    let path = [
        at("order-service", "saga"),
        at("order-service", "gathered"),
        at("order-service", "batch"),
        from_order,
        at(
            "inventory-service",
            "cartwright.inventory.v1.InventoryService/BatchReserve",
        ),
    ];
    assert!(forest.has_path(trace, &path), "{drawn}");
    // A batch of one reads like a plain call, down to the statement.
    let path = [
        at("order-service", "gathered"),
        at("inventory-service", "batch item"),
        at("inventory-service", "batch"),
        at("inventory-service", "UPDATE stock_levels"),
    ];
    assert!(forest.has_path(trace, &path), "{drawn}");
    check_webhook(&forest, trace, &order);
    check_logs(&shop, trace, &order);
}

/// It is linked to where the payment was begun.
fn check_webhook(forest: &Forest, trace: TraceId, order: &str) {
    let mut webhooks = forest.trace(trace).filter(|span| {
        span.service == "payment-service" && span.name.starts_with("POST /webhooks")
    });
    let webhook = webhooks.next().unwrap();
    let linked: Vec<&str> = forest
        .linked(webhook)
        .map(|span| span.name.as_str())
        .collect();
    assert!(linked.contains(&"batch item"), "{linked:?}");
    assert_eq!(webhook.kind, Kind::Server);
    for name in ["event.id", "payment.id"] {
        assert!(webhook.attribute(name).is_some(), "{name}: {webhook:#?}");
    }
    assert_eq!(webhook.attribute(ORDER_ID), Some(order));
}

/// The services' lines bear the ids of the trace that they are part of.
fn check_logs(shop: &Shop, trace: TraceId, order: &str) {
    let trace = trace.to_string();
    for part in [&shop.order, &shop.payment, &shop.inventory] {
        let log = part.whole_log();
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let of_trace: Vec<Value> = lines
            .filter(|line| line["trace_id"] == trace.as_str())
            .collect();
        assert!(
            !of_trace.is_empty(),
            "{} logs nothing in the trace",
            part.name()
        );
        assert!(of_trace.iter().all(|line| line["span_id"].is_string()));
        let names_it = of_trace.iter().any(|line| line["order.id"] == order);
        assert!(names_it, "{} never names the order", part.name());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_that_are_worked_on_together_are_one_trace_each() {
    let (store, mut shop) = traced("1").await;
    let orders = buy_at_once(&shop).await;
    let all_told = |forest: &Forest| orders.iter().all(|order| is_told(forest, order));
    let forest = finish(&mut shop, &store, all_told).await;

    let orphans = parents_that_are_not_there(&forest);
    assert!(orphans.is_empty(), "{orphans:#?}");
    let traces = orders.iter().map(|order| check_confirmed(&forest, order));
    let traces: BTreeSet<TraceId> = traces.collect();
    assert_eq!(traces.len(), orders.len(), "a trace is of one order");
    // Without a batch of several this would prove little.
    let elsewhere = |span: &&Span| span.links.iter().any(|link| link.trace_id != span.trace_id);
    let gathered = forest.all().filter(|span| span.name == "gathered");
    let elsewhere = gathered.filter(elsewhere).count();
    assert!(elsewhere >= AT_ONCE / 2, "only {elsewhere} shared a batch");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_ends_otherwise_is_one_trace_too() {
    let (store, mut shop) = traced("1").await;
    let mut declined = mug();
    declined.payment_method = "pm_card_chargeDeclined".to_owned();
    let refused = shop.calls.create("declined", declined).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let cancelled = buy(&shop, "cancelled").await;
    shop.calls.settled(PATIENCE).await;
    shop.calls.cancel(&cancelled).await.unwrap();
    let is_back = |forest: &Forest| {
        let refund = [
            at("order-service", "saga"),
            at("payment-service", "POST /v1/refunds"),
        ];
        let mut traces = forest.traces_of_work(&cancelled).into_iter();
        traces.any(|trace| forest.has_path(trace, &refund))
    };
    let forest = finish(&mut shop, &store, is_back).await;
    let orphans = parents_that_are_not_there(&forest);
    assert!(orphans.is_empty(), "{orphans:#?}");
    check_declined(&forest);
    check_cancelled(&forest, &cancelled);
}

/// The card's refusal is an error to who asked the provider, and to nobody
/// else; all that is undone is in the same trace.
fn check_declined(forest: &Forest) {
    let refused = |span: &&Span| span.attribute("http.response.status_code") == Some("402");
    let asked = forest
        .all()
        .filter(refused)
        .find(|span| span.kind == Kind::Client);
    let asked = asked.expect("a card that was declined");
    assert_eq!(asked.status.code, StatusCode::Error);
    assert_eq!(asked.attribute("error.type"), Some("402"));
    let trace = asked.trace_id;
    let drawn = forest.drawn(trace);
    let servers = forest.trace(trace).filter(|span| span.kind == Kind::Server);
    let faults: Vec<&Span> = servers.filter(|span| span.is_error()).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let undone = [
        at("order-service", "saga"),
        at("inventory-service", "batch item"),
    ];
    assert!(forest.has_path(trace, &undone), "{drawn}");
    let release = |span: &Span| span.attribute("batch.verb") == Some("Release");
    assert!(forest.trace(trace).any(release), "{drawn}");
}

/// Whoever cancels is in another trace; what is done for that is in the order's,
/// and each leads to the other.
fn check_cancelled(forest: &Forest, order: &str) {
    let mut cancels = forest
        .all()
        .filter(|span| span.name.ends_with("OrderService/CancelOrder"));
    let cancel = cancels.next().unwrap();
    let placed = forest
        .all()
        .filter(|span| span.name.ends_with("OrderService/CreateOrder"))
        .find(|span| span.attribute(ORDER_ID) == Some(order))
        .unwrap();
    assert_ne!(cancel.trace_id, placed.trace_id);
    let sagas = forest
        .trace(placed.trace_id)
        .filter(|span| span.name == "saga");
    let sagas: Vec<&Span> = sagas.collect();
    assert!(sagas.len() >= 2, "{}", forest.drawn(placed.trace_id));
    let is_cause = |span: &Span| span.span_id == cancel.span_id;
    let caused = sagas.iter().find(|saga| forest.linked(saga).any(is_cause));
    let caused = caused.expect("a saga that knows why it runs");
    assert!(
        forest
            .linked(cancel)
            .any(|span| span.span_id == caused.span_id)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saga_that_goes_on_later_goes_on_in_the_trace_of_its_order() {
    let (store, mut shop) = traced("1").await;
    shop.payment.kill();
    let mut request = mug();
    request.wait = pb::CreateOrderWait::Accepted as i32;
    let order = shop.calls.create("later", request).await.unwrap().id;
    // The first run gives up when it has asked often enough.
    let gave_up = |store: &TraceStore| store.spans().iter().any(|span| span.name == "saga");
    assert!(store.wait_until(PATIENCE, gave_up).await);
    shop.payment.start().await;
    let forest = finish(&mut shop, &store, |forest| is_told(forest, &order)).await;

    let orphans = parents_that_are_not_there(&forest);
    assert!(orphans.is_empty(), "{orphans:#?}");
    let trace = check_confirmed(&forest, &order);
    let sagas = forest.trace(trace).filter(|span| span.name == "saga");
    assert!(sagas.count() >= 2, "{}", forest.drawn(trace));
    let unanswered = |span: &Span| span.attribute("error.type") == Some("UNAVAILABLE");
    assert!(
        forest.trace(trace).any(unanswered),
        "{}",
        forest.drawn(trace)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_is_kept_as_a_whole_or_not_at_all() {
    let (store, mut shop) = traced("0.3").await;
    let orders = buy_at_once(&shop).await;
    let all_told = |forest: &Forest| {
        let known = orders
            .iter()
            .filter(|order| !forest.traces_of_work(order).is_empty());
        let known: Vec<&String> = known.collect();
        !known.is_empty() && known.into_iter().all(|order| is_told(forest, order))
    };
    let forest = finish(&mut shop, &store, all_told).await;
    let orphans = parents_that_are_not_there(&forest);
    assert!(orphans.is_empty(), "{orphans:#?}");
    let kept = orders
        .iter()
        .filter(|order| !forest.traces_of_work(order).is_empty());
    let kept: Vec<&String> = kept.collect();
    assert!(
        (1..AT_ONCE).contains(&kept.len()),
        "{} were kept",
        kept.len()
    );
    for order in kept {
        check_confirmed(&forest, order);
    }
}
