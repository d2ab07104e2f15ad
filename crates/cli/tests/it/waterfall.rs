//! The picture of a trace, and what the program says when there is none.

use std::{
    collections::BTreeMap,
    process::{Command, Output},
};

use axum::{Json, Router, extract::RawQuery, routing::get};
use cli::trace::{Look, draw};
use trace_store::{Attributes, Found, FoundSpan, Id, Kind, Link, Span, Status, StatusCode};

const ORDER: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

const LOOK: Look = Look {
    width: 100,
    colours: false,
    folds: true,
    short: false,
    depth: None,
};

fn id<const N: usize>(number: u64) -> Id<N> {
    let width = 2 * N;
    format!("{number:0width$x}").parse().unwrap()
}

/// From and to in milliseconds; 0 is no parent.
fn span(ids: [u64; 3], service: &str, name: &str, times: [f64; 2]) -> FoundSpan {
    let [trace, own, parent] = ids;
    let [start, end] = times.map(|ms| 1_795_287_600_000_000_000 + (ms * 1e6) as u64);
    let span = Span {
        trace_id: id(trace),
        span_id: id(own),
        parent_span_id: (parent > 0).then(|| id(parent)),
        name: name.to_owned(),
        kind: Kind::Internal,
        service: service.to_owned(),
        attributes: Attributes::new(),
        links: Vec::new(),
        events: Vec::new(),
        start,
        end,
        status: Status::default(),
        scope: String::new(),
        trace_state: String::new(),
        resource: Default::default(),
    };
    FoundSpan {
        span,
        linked: trace != 1 && trace != 3,
        links_to_it: 0,
    }
}

fn found(spans: Vec<FoundSpan>, orphans: usize) -> Found {
    let traces = [1, 3].map(id).to_vec();
    Found {
        traces,
        orphans,
        spans,
    }
}

/// An order with five equal statements, a batch of another trace, an error, and
/// a webhook in a trace of its own.
fn order() -> Found {
    let (order, stock, payment) = ("order-service", "inventory-service", "payment-service");
    let create = "cartwright.order.v1.OrderService/CreateOrder";
    let mut spans = vec![
        span([1, 1, 0], order, create, [0.0, 40.0]),
        span([1, 2, 1], order, "batch item", [1.0, 21.0]),
        span([1, 20, 1], order, "POST /v1/payment_intents", [22.0, 36.0]),
        span([2, 3, 99], order, "batch", [2.0, 20.0]),
        span(
            [2, 4, 3],
            stock,
            "cartwright.inventory.v1.InventoryService/Reserve",
            [4.0, 18.0],
        ),
        span(
            [3, 30, 0],
            payment,
            "POST /webhooks/stripe",
            [1_200.0, 1_204.5],
        ),
    ];
    for number in 0..5 {
        let from = 5.0 + 2.0 * number as f64;
        let sql = span(
            [2, 5 + number, 4],
            stock,
            "UPDATE stock_levels",
            [from, from + 0.25],
        );
        spans.push(sql);
    }
    spans[1].span.links.push(Link {
        trace_id: id(2),
        span_id: id(3),
        trace_state: String::new(),
        attributes: Attributes::new(),
    });
    spans[2].span.status.code = StatusCode::Error;
    let declined = ("error.type".to_owned(), "402".to_owned());
    spans[2].span.attributes = BTreeMap::from([declined]);
    let batch = [("batch.size", "7"), ("batch.verb", "reserve")];
    let batch = batch.map(|(name, value)| (name.to_owned(), value.to_owned()));
    spans[3].span.attributes = BTreeMap::from(batch);
    found(spans, 0)
}

#[test]
fn an_order_is_drawn_as_a_waterfall() {
    let expected = include_str!("waterfall.txt");
    let drawn = draw(&order(), LOOK);
    let drawn: Vec<&str> = drawn.lines().map(str::trim_end).collect();
    assert_eq!(
        drawn.join("\n"),
        expected.trim_end(),
        "\n{}",
        drawn.join("\n")
    );
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let mut deep = Vec::new();
    for level in 1..=200 {
        let name = "a name that is longer than any column of it ".repeat(3);
        let mut one = span([1, level, level - 1], &name, &name, [0.0, 1.0]);
        one.span.status.code = StatusCode::Error;
        one.span.status.message.clone_from(&name);
        deep.push(one);
    }
    for found in [order(), found(deep, 0)] {
        for width in [60, 80, 100, 173] {
            let drawn = draw(&found, Look { width, ..LOOK });
            let (_, lines) = drawn.split_once('\n').unwrap();
            for line in lines.lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
        }
    }
}

#[test]
fn all_spans_are_drawn_when_asked_and_levels_can_be_left_out() {
    let all = Look {
        folds: false,
        ..LOOK
    };
    let drawn = draw(&order(), all);
    assert_eq!(drawn.matches("UPDATE stock_levels").count(), 5);
    assert!(!drawn.contains("--all"), "{drawn}");
    let depth = Some(2);
    let drawn = draw(&order(), Look { depth, ..LOOK });
    assert!(drawn.contains("└ ✗ POST") || drawn.contains("POST /v1/payment_intents ✗ 402"));
    assert!(!drawn.contains("Reserve"), "{drawn}");
    assert!(drawn.contains("7 spans deeper than --depth"), "{drawn}");
}

#[test]
fn a_short_picture_has_calls_and_messages_and_their_errors_only() {
    let mut order = order();
    for (index, kind) in [(0, Kind::Server), (4, Kind::Server), (5, Kind::Server)] {
        order.spans[index].span.kind = kind;
    }
    let short = true;
    let drawn = draw(&order, Look { short, ..LOOK });
    let lines: Vec<&str> = drawn.lines().collect();
    assert!(lines[2].contains("├ InventoryService/Reserve"), "{drawn}");
    assert!(
        lines[3].contains("└ POST /v1/payment_intents ✗ 402"),
        "{drawn}"
    );
    assert!(
        !drawn.contains("batch") && !drawn.contains("UPDATE"),
        "{drawn}"
    );
    assert!(
        drawn.contains("7 spans inside of processes are drawn without --short"),
        "{drawn}"
    );
}

#[test]
fn colours_are_there_only_when_asked_and_change_no_text() {
    let plain = draw(&order(), LOOK);
    assert!(!plain.contains('\x1b'));
    let colours = true;
    let coloured = draw(&order(), Look { colours, ..LOOK });
    assert!(coloured.contains("\x1b[31m"), "the error is red");
    let mut text = String::new();
    for part in coloured.split('\x1b') {
        text.push_str(
            part.split_once('m')
                .filter(|(code, _)| code.starts_with('['))
                .map_or(part, |(_, rest)| rest),
        );
    }
    assert_eq!(text, plain);
}

#[test]
fn what_a_span_says_does_not_steer_the_terminal() {
    let evil = "\x1b]0;owned\x07\nname";
    let one = span([1, 1, 0], evil, evil, [0.0, 1.0]);
    let drawn = draw(&found(vec![one], 0), LOOK);
    assert!(!drawn.contains(['\x1b', '\x07']), "{drawn:?}");
    assert_eq!(drawn.lines().count(), 4, "{drawn}");
}

#[test]
fn orphans_are_marked_and_counted() {
    let spans = vec![
        span([1, 1, 0], "a", "root", [0.0, 1.0]),
        span([1, 2, 77], "a", "lost", [0.5, 0.7]),
    ];
    let drawn = draw(&found(spans, 1), LOOK);
    assert!(drawn.contains("lost (orphan)"), "{drawn}");
    assert!(
        drawn.contains("2 spans, 1 service, 1.0 ms in all, 1 orphan\n"),
        "{drawn}"
    );
}

/// A store that knows one order.
async fn store() -> String {
    let answer = async |RawQuery(query): RawQuery| {
        let known = query.unwrap_or_default() == format!("order_id={ORDER}");
        Json(if known { order() } else { found(Vec::new(), 0) })
    };
    let app = Router::new().route("/api/traces", get(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = async move { axum::serve(listener, app).await };
    tokio::spawn(served);
    url
}

async fn trace(url: &str, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cartwright"));
    command.arg("trace").args(args).env("COLUMNS", "90");
    command.env("CARTWRIGHT_TRACES_URL", url);
    let ended = tokio::task::spawn_blocking(move || command.output());
    ended.await.unwrap().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_draws_the_trace_of_an_order_without_colours_into_a_pipe() {
    let url = store().await;
    let output = trace(&url, &[ORDER]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let expected = draw(&order(), Look { width: 90, ..LOOK });
    assert_eq!(text(&output.stdout).trim_end(), expected.trim_end());
    let output = trace(&url, &[ORDER, "--output", "json"]).await;
    let told: Found = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told, order());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_the_store_does_not_know_is_code_2() {
    let url = store().await;
    let other = "01890a5d-ac96-774b-bcce-b302099a8058";
    for args in [&[other][..], &[other, "--wait", "10ms"]] {
        let output = trace(&url, args).await;
        assert_eq!(output.status.code(), Some(2));
        let told = text(&output.stderr);
        assert!(
            told.contains(&format!("at {url} has no trace of order {other}")),
            "{told}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_not_there_or_none_is_told_with_its_url() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let output = trace(&nobody, &[ORDER]).await;
    assert_eq!(output.status.code(), Some(69));
    assert_eq!(
        text(&output.stderr),
        format!("error: the trace store at {nobody} cannot be reached: is it running? (make up)\n")
    );
    let stranger = store().await;
    let output = trace(&format!("{stranger}/x?y"), &["--trace-id", &"1".repeat(32)]).await;
    assert_eq!(output.status.code(), Some(2), "paths do not matter");
    let output = trace("localhost:4318", &[ORDER]).await;
    assert_eq!(output.status.code(), Some(64));
    assert!(
        text(&output.stderr).contains("expected http://"),
        "{}",
        text(&output.stderr)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_asks_for_an_order_or_for_a_trace() {
    let id = "1".repeat(32);
    for args in [
        &[][..],
        &[ORDER, "--trace-id", &id],
        &["--trace-id", "12"],
        &["not-an-id"],
    ] {
        let output = trace("http://127.0.0.1:1", args).await;
        assert_eq!(output.status.code(), Some(64), "{args:?}");
    }
}
