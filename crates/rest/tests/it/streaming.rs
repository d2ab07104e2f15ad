//! Server-sent events.

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;

use crate::world::World;

const WATCH: &str = "/api/inventory/watch";

async fn pieces(body: &mut Body, until: &str) -> String {
    let mut text = String::new();
    while !text.contains(until) {
        let frame = body.frame().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
    }
    text
}

#[tokio::test]
async fn each_message_is_an_event_with_its_sequence() {
    let world = World::new();
    let response = world
        .open(Request::get(format!("{WATCH}?after_sequence=4")), "")
        .await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    let text = pieces(&mut body, "heartbeat_sequence\":").await;
    let events: Vec<&str> = text.trim_end().split("\n\n").collect();
    assert_eq!(events[0], "retry: 2000");
    let first =
        "id: 5\nevent: movement\ndata: {\"movement\":{\"sequence\":\"5\",\"sku\":\"MUG-BLUE\"";
    assert!(events[1].starts_with(first), "{}", events[1]);
    assert_eq!(
        events[2],
        "id: 9\nevent: heartbeat_sequence\ndata: {\"heartbeat_sequence\":\"9\"}"
    );
}

#[tokio::test]
async fn a_browser_that_comes_back_goes_on_where_it_was() {
    let world = World::new();
    let request = Request::get(format!("{WATCH}?after_sequence=4&skus=A&skus=B"));
    let response = world.open(request.header("last-event-id", "41"), "").await;
    let text = pieces(&mut response.into_body(), "movement").await;
    assert!(text.contains("id: 42\n"), "{text}");
    assert!(
        world
            .asked
            .lock()
            .unwrap()
            .as_ref()
            .unwrap()
            .0
            .contains("[\"A\", \"B\"]")
    );
    let request = Request::get(WATCH).header("last-event-id", "x");
    assert_eq!(world.send(request, "").await.refusal().2, ["last-event-id"]);
    let request = Request::get(format!("{WATCH}?after_sequence=x")).header("last-event-id", "4");
    assert_eq!(
        world.send(request, "").await.refusal().2,
        ["after_sequence"]
    );
}

#[tokio::test]
async fn a_stream_that_fails_says_why() {
    let world = World::new();
    let answer = world.get(&format!("{WATCH}?skus=END")).await;
    let last = answer
        .text
        .trim_end()
        .split("\n\n")
        .last()
        .unwrap()
        .to_owned();
    assert!(
        last.starts_with("event: problem\ndata: {\"type\":"),
        "{last}"
    );
    assert!(last.contains("\"reason\":\"UNAVAILABLE\""), "{last}");
}

#[tokio::test]
async fn an_idle_stream_shows_that_it_lives_and_ends_when_the_client_wants() {
    let settings = rest::Settings {
        keepalive_interval_ms: 10,
        ..rest::Settings::default()
    };
    let world = World::with(settings);
    let request = Request::get(WATCH).header("request-timeout", "0.2");
    let answer = world.send(request, "").await;
    assert!(answer.text.contains(": keepalive\n\n"), "{}", answer.text);
    assert!(!answer.text.contains("problem"), "{}", answer.text);
}

#[tokio::test]
async fn a_stream_needs_a_client_that_takes_events() {
    let world = World::new();
    let request = Request::get(WATCH).header("accept", "application/json");
    assert_eq!(world.send(request, "").await.refusal().0, 406);
}
