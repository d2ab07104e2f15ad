//! What a request becomes, and what an answer.

use api::inventory::v1 as pb;
use http::Request;
use serde_json::json;

use crate::{
    inventory::ORDER,
    world::{World, json as typed},
};

fn asked<T: std::fmt::Debug>(world: &World, expected: &T) {
    let asked = world.asked.lock().unwrap();
    assert_eq!(asked.as_ref().unwrap().0, format!("{expected:?}"));
}

#[tokio::test]
async fn a_body_becomes_the_message_and_the_answer_becomes_json() {
    let world = World::new();
    let body = json!({
        "order_id": ORDER,
        "lines": [{ "sku": "MUG-BLUE", "quantity": 2 }, { "sku": "TEA", "quantity": "3" }],
        "ttl": "90.5s",
        "strategy": "ALLOCATION_STRATEGY_PRIORITY",
    });
    let answer = world
        .post("/api/inventory/reservations", &body.to_string())
        .await;
    let line = |sku: &str, quantity| pb::StockLine {
        sku: sku.to_owned(),
        quantity,
    };
    asked(
        &world,
        &pb::ReserveRequest {
            order_id: ORDER.to_owned(),
            lines: vec![line("MUG-BLUE", 2), line("TEA", 3)],
            ttl: Some(prost_types::Duration {
                seconds: 90,
                nanos: 500_000_000,
            }),
            allow_partial: false,
            strategy: pb::AllocationStrategy::Priority as i32,
        },
    );
    assert_eq!(answer.status, 201);
    let place = format!("/api/inventory/reservations/{ORDER}");
    assert_eq!(answer.header("location"), Some(place.as_str()));
    assert_eq!(answer.header("etag"), Some("\"3\""));
    assert_eq!(answer.header("idempotent-replayed"), Some("true"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(
        answer.json(),
        json!({ "reservation": {
            "order_id": ORDER,
            "state": "RESERVATION_STATE_HELD",
            "lines": [{
                "sku": "MUG-BLUE",
                "quantity": "9007199254740993",
                "allocations": [],
                "fulfilled": "0",
            }],
            "expire_time": "2026-01-01T00:00:00.500Z",
            "etag": "3",
        } })
    );
}

#[tokio::test]
async fn a_name_may_be_in_camel_case_and_comes_once() {
    let world = World::new();
    let place = "/api/inventory/reservations";
    let lines = json!([{ "sku": "TEA", "quantity": 3 }]);
    let body = json!({ "orderId": ORDER, "lines": lines });
    let answer = world.post(place, &body.to_string()).await;
    assert_eq!(answer.status, 201);
    let body = json!({ "orderId": ORDER, "order_id": ORDER, "lines": lines });
    let answer = world.post(place, &body.to_string()).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["fields"][0]["field"], "order_id");
}

#[tokio::test]
async fn what_is_in_the_path_is_decoded_and_may_have_slashes() {
    let world = World::new();
    let answer = world.get("/api/inventory/stock/MUG%2FBLUE%20%252F").await;
    asked(
        &world,
        &pb::GetStockRequest {
            sku: "MUG/BLUE %2F".to_owned(),
        },
    );
    let stock = answer.json();
    assert_eq!(stock["item"]["list_price"]["minor_units"], "-950");
    assert_eq!(stock["item"]["stock_tracked"], false);
    // Two versions are in it: none is told, lest the wrong one come back.
    assert_eq!(answer.header("etag"), None);
}

#[tokio::test]
async fn a_body_may_be_one_field_and_its_id_be_in_the_path() {
    let world = World::new();
    let item = |etag: &str| pb::UpsertItemRequest {
        item: Some(pb::Item {
            sku: "TEA".to_owned(),
            title: "Tea".to_owned(),
            etag: etag.to_owned(),
            ..Default::default()
        }),
    };
    world
        .put("/api/inventory/items/TEA", r#"{"title": "Tea"}"#)
        .await;
    asked(&world, &item(""));
    let request = typed(Request::put("/api/inventory/items/TEA")).header("if-match", "\"4\"");
    world
        .send(request, r#"{"title": "Tea", "sku": "TEA"}"#)
        .await;
    asked(&world, &item("4"));
    let other = world
        .put("/api/inventory/items/TEA", r#"{"sku": "COFFEE"}"#)
        .await;
    assert_eq!(other.refusal().2, ["item.sku"]);
    let request = typed(Request::put("/api/inventory/items/TEA")).header("if-match", "\"4\"");
    let other = world.send(request, r#"{"etag": "5"}"#).await;
    assert_eq!(other.refusal().2, ["etag"]);
}

#[tokio::test]
async fn a_query_sets_scalars_enums_and_lists() {
    let world = World::new();
    let state = "RESERVATION_STATE_HELD";
    world
        .get(&format!(
            "/api/inventory/reservations?state={state}&page_size=7&sku=A+B"
        ))
        .await;
    asked(
        &world,
        &pb::ListReservationsRequest {
            state: pb::ReservationState::Held as i32,
            sku: "A B".to_owned(),
            page_size: 7,
            page_token: String::new(),
        },
    );
}

#[tokio::test]
async fn headers_of_http_become_metadata() {
    let world = World::new();
    let request = Request::get("/api/inventory/stock")
        .header("authorization", "Bearer x")
        .header("x-forwarded-for", "10.1.1.1")
        .header("request-timeout", "1.5")
        .header("cookie", "a=b");
    assert_eq!(world.send(request, "").await.status, 200);
    let asked = world.asked.lock().unwrap();
    let metadata = &asked.as_ref().unwrap().1;
    assert_eq!(metadata.get("authorization").unwrap(), "Bearer x");
    assert_eq!(metadata.get("x-forwarded-for").unwrap(), "10.1.1.1");
    assert_eq!(metadata.get("grpc-timeout").unwrap(), "1500m");
    assert!(metadata.get("cookie").is_none());
}

#[tokio::test]
async fn an_entity_tag_is_the_etag_of_the_request() {
    let world = World::new();
    let set = |tag: &str| {
        let request = typed(Request::put("/api/inventory/stock/TEA")).header("if-match", tag);
        world.send(request, r#"{"on_hand": 5, "reason": "count"}"#)
    };
    let answer = set("\"7\"").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("etag")),
        (200, Some("\"7\""))
    );
    assert!(
        world
            .asked
            .lock()
            .unwrap()
            .as_ref()
            .unwrap()
            .0
            .contains("etag: \"7\"")
    );
    assert_eq!(set("*").await.status, 200);
    for bad in ["7", "W/\"7\"", "\"7\", \"8\"", "\"\"", ""] {
        assert_eq!(set(bad).await.refusal().2, ["if-match"], "{bad}");
    }
}

#[tokio::test]
async fn a_refusal_inside_a_batch_is_a_problem_of_its_own() {
    let world = World::new();
    let body = r#"{"items": [{}, {"idempotency_key": "k"}]}"#;
    let answer = world
        .post("/api/inventory/reservations/batch-reserve", body)
        .await;
    let results = answer.json()["results"].clone();
    assert_eq!(results[0]["reservation"]["order_id"], ORDER);
    let problem = &results[1]["error"];
    assert_eq!(problem["reason"], "OUT_OF_STOCK");
    assert_eq!(problem["status"], 409);
    assert_eq!(problem["preconditions"][0]["subject"], "MUG-BLUE");
}
