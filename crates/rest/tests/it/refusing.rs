//! What is refused, how early, and how clearly.

use axum::body::{Body, Bytes};
use http::{Method, Request};

use crate::{
    inventory::ORDER,
    world::{World, json},
};

const RESERVE: &str = "/api/inventory/reservations";

#[tokio::test]
async fn every_mistake_of_a_body_is_named() {
    let world = World::new();
    let body = r#"{"order_id": 7, "lines": [{"sku": null}, {"quantity": 1.5}, 3], "strategy": 1, "oder": 1, "ttl": "1m"}"#;
    let (status, reason, mut fields) = world.post(RESERVE, body).await.refusal();
    fields.sort();
    assert_eq!((status, reason.as_str()), (400, "INVALID_FIELD"));
    let expected = [
        "lines[0].sku",
        "lines[1].quantity",
        "lines[2]",
        "oder",
        "order_id",
        "strategy",
        "ttl",
    ];
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn numbers_are_whole_and_in_their_one_form() {
    let world = World::new();
    for good in ["2", "2.0", "2e0", "\"2\"", "-9223372036854775808"] {
        let body = format!(r#"{{"lines": [{{"sku": "A", "quantity": {good}}}]}}"#);
        assert_eq!(world.post(RESERVE, &body).await.status, 201, "{good}");
    }
    for bad in [
        "2.5",
        "\"02\"",
        "\"+2\"",
        "\" 2\"",
        "\"\"",
        "9223372036854775808",
        "1e30",
        "true",
        "[]",
        "null",
        "\"-0\"",
    ] {
        let body = format!(r#"{{"lines": [{{"sku": "A", "quantity": {bad}}}]}}"#);
        let (status, _, fields) = world.post(RESERVE, &body).await.refusal();
        assert_eq!(
            (status, fields),
            (400, vec!["lines[0].quantity".to_owned()]),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn what_is_no_json_is_refused() {
    let world = World::new();
    let deep = format!("{{\"lines\": {}", "[".repeat(1_000_000));
    for bad in [
        "{",
        "[]",
        "7",
        "{\"allow_partial\": true, \"allow_partial\": false}",
        deep.as_str(),
    ] {
        let (status, reason, fields) = world.post(RESERVE, bad).await.refusal();
        assert_eq!(
            (status, reason.as_str(), fields),
            (400, "INVALID_FIELD", vec!["body".to_owned()])
        );
    }
    let bytes: &[u8] = b"{\"order_id\": \"\xff\"}";
    let answer = world
        .send(json(Request::post(RESERVE)), Body::from(bytes))
        .await;
    assert_eq!(answer.refusal().0, 400);
}

#[tokio::test]
async fn a_query_that_is_not_known_is_refused_by_name() {
    let world = World::new();
    for (query, field) in [
        ("page_sise=1", "page_sise"),
        ("page_size=1&page_size=2", "page_size"),
        ("page_size=", "page_size"),
        ("page_size=1.0", "page_size"),
        ("page_size=9999999999", "page_size"),
        ("sku_prefix=%ff", "query"),
    ] {
        let answer = world.get(&format!("/api/inventory/stock?{query}")).await;
        assert_eq!(answer.refusal().2, [field], "{query}");
    }
    let answer = world.get("/api/inventory/reservations?state=HELD").await;
    assert_eq!(answer.refusal().2, ["state"]);
    let posted = world
        .post(&format!("{RESERVE}?order_id={ORDER}"), "{}")
        .await;
    assert_eq!(posted.refusal().2, ["order_id"]);
}

#[tokio::test]
async fn a_body_must_say_what_it_is_and_be_of_bearable_size() {
    let world = World::new();
    let typed = |media: &str| {
        let request = Request::post(RESERVE).header("idempotency-key", "k");
        world.send(request.header("content-type", media), "{}")
    };
    assert_eq!(typed("application/json; charset=UTF-8").await.status, 201);
    for bad in [
        "text/plain",
        "application/json; charset=latin1",
        "application/xml",
    ] {
        assert_eq!(typed(bad).await.refusal().0, 415, "{bad}");
    }
    let coded = json(Request::post(RESERVE)).header("content-encoding", "gzip");
    assert_eq!(world.send(coded, "{}").await.refusal().0, 415);
    let large = "x".repeat(4 * 1024 * 1024 + 1);
    assert_eq!(world.post(RESERVE, &large).await.refusal().0, 413);
    let pieces = futures::stream::repeat_with(|| {
        Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 65_536]))
    });
    let endless = Body::from_stream(pieces);
    assert_eq!(
        world
            .send(json(Request::post(RESERVE)), endless)
            .await
            .refusal()
            .0,
        413
    );
    let with_body = json(Request::get("/api/inventory/stock"));
    assert_eq!(world.send(with_body, "{}").await.refusal().2, ["body"]);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let settings = rest::Settings {
        body_timeout_ms: 20,
        ..rest::Settings::default()
    };
    let world = World::with(settings);
    let never = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
    let answer = world.send(json(Request::post(RESERVE)), never).await;
    assert_eq!(answer.refusal().0, 408);
    let torn = futures::stream::iter([Err::<Bytes, _>(std::io::Error::other("torn"))]);
    let answer = world
        .send(json(Request::post(RESERVE)), Body::from_stream(torn))
        .await;
    assert_eq!(answer.refusal().2, ["body"]);
}

#[tokio::test]
async fn paths_and_verbs_that_are_not_there_are_told_so() {
    let world = World::new();
    let (status, reason, _) = world.get("/api/inventory/nothing").await.refusal();
    assert_eq!((status, reason.as_str()), (404, "UNKNOWN_METHOD"));
    let answer = world.send(Request::delete(RESERVE), "").await;
    assert_eq!(answer.refusal().0, 405);
    assert_eq!(answer.header("allow"), Some("GET, POST, HEAD, OPTIONS"));
    let answer = world.send(Request::post("/openapi.json"), "").await;
    assert_eq!(answer.refusal().0, 405);
    assert_eq!(answer.header("allow"), Some("GET, HEAD"));
    let options = world
        .send(Request::builder().method(Method::OPTIONS).uri(RESERVE), "")
        .await;
    assert_eq!((options.status.as_u16(), options.text.as_str()), (204, ""));
    let head = world
        .send(Request::head("/api/inventory/stock/TEA"), "")
        .await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    assert_eq!(
        world.get("/api/inventory/stock/%ff").await.refusal().2,
        ["path"]
    );
}

#[tokio::test]
async fn headers_that_cannot_be_kept_are_refused() {
    let world = World::new();
    let reserve = |name: &str, value: &str| {
        world.send(json(Request::post(RESERVE)).header(name, value), "{}")
    };
    assert_eq!(reserve("accept", "text/html").await.refusal().0, 406);
    assert_eq!(reserve("accept", "text/html, */*;q=0.1").await.status, 201);
    assert_eq!(reserve("if-match", "\"1\"").await.refusal().2, ["if-match"]);
    assert_eq!(
        reserve("if-none-match", "*").await.refusal().2,
        ["if-none-match"]
    );
    assert_eq!(
        reserve("idempotency-key", "two").await.refusal().2,
        ["idempotency-key"]
    );
    for bad in ["", "x", "-1", "0", "1e3", "inf", "99999999"] {
        assert_eq!(
            reserve("request-timeout", bad).await.refusal().2,
            ["request-timeout"],
            "{bad}"
        );
    }
}

#[tokio::test]
async fn refusals_of_the_service_keep_their_reason_and_details() {
    let world = World::new();
    let commit = |name: &str| {
        let path = format!("/api/inventory/reservations/{name}/commit");
        async move { World::new().post(&path, "").await }
    };
    let answer = commit("OUT_OF_STOCK").await;
    assert_eq!(answer.refusal().0, 409);
    let problem = answer.json();
    assert_eq!(problem["type"], "urn:cartwright:problem:OUT_OF_STOCK");
    assert_eq!(problem["title"], "Out of stock");
    assert_eq!(problem["detail"], "it cannot be done");
    assert_eq!(problem["metadata"]["hint"], "x");
    assert_eq!(problem["preconditions"][0]["description"], "too few");
    assert_eq!(problem["resource"]["name"], "7");
    assert_eq!(problem["retry_after_ms"], 1_200);
    assert_eq!(answer.header("retry-after"), Some("2"));
    assert_eq!(commit("ETAG_MISMATCH").await.refusal().0, 412);
    assert_eq!(commit("OUTCOME_UNKNOWN").await.refusal().0, 503);
    let unauthenticated = commit("UNAUTHENTICATED").await;
    assert_eq!(unauthenticated.refusal().0, 401);
    assert_eq!(unauthenticated.header("www-authenticate"), Some("Bearer"));
    let framework = commit("framework").await;
    assert_eq!(framework.refusal().1, "INTERNAL");
    assert!(!framework.text.contains("10.0.0.7"), "{}", framework.text);
    // The fake has no such method: nor would a service of an older version.
    let unimplemented = world
        .get(&format!("/api/inventory/reservations/{ORDER}"))
        .await;
    assert_eq!(unimplemented.refusal().1, "UNKNOWN_METHOD");
}
