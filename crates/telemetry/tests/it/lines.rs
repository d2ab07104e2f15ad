//! What one line of the log says.

use std::num::ParseIntError;

use serde_json::json as value;
use telemetry::LogFormat;
use tracing::{error, info, info_span, warn};

use crate::{install, json, settings};

#[test]
fn a_line_inside_a_span_has_its_trace_and_the_fields_of_all_spans() {
    let installed = json("info");
    let outer = info_span!(
        "request",
        order.id = "o-1",
        attempt = 1_u64,
        late = tracing::field::Empty
    );
    outer.in_scope(|| {
        outer.record("late", true);
        info_span!("step", attempt = 2_u64).in_scope(|| info!(sku = %"A1", "stock is held"));
    });
    let lines = installed.log.lines();
    let [line] = lines.as_slice() else {
        panic!("{lines:?}")
    };
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["service"], "order-service");
    assert_eq!(line["target"], "it::lines");
    assert_eq!(line["message"], "stock is held");
    assert_eq!(line["span"], "step");
    assert_eq!(line["order.id"], "o-1");
    assert_eq!(line["sku"], "A1");
    assert_eq!(line["attempt"], 2, "the innermost span wins");
    assert_eq!(line["late"], true);
    let hex = |name: &str| line[name].as_str().unwrap().to_owned();
    assert_eq!((hex("trace_id").len(), hex("span_id").len()), (32, 16));
    assert_ne!(hex("trace_id"), "0".repeat(32));
}

#[test]
fn the_time_is_utc_and_comes_first() {
    let installed = json("info");
    info!("now");
    let text = installed.log.text();
    assert!(text.starts_with("{\"timestamp\":\""), "{text}");
    let time = installed.log.lines()[0]["timestamp"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(time.ends_with('Z'), "{time}");
    let time = chrono::DateTime::parse_from_rfc3339(&time).unwrap();
    assert!((chrono::Utc::now() - time.to_utc()).num_seconds() < 60);
}

#[test]
fn spans_of_one_trace_share_its_id_and_others_do_not() {
    let installed = json("info");
    info_span!("a").in_scope(|| {
        info!("one");
        info_span!("b").in_scope(|| info!("two"));
    });
    info_span!("c").in_scope(|| info!("three"));
    info!("outside");
    let lines = installed.log.lines();
    assert_eq!(lines[0]["trace_id"], lines[1]["trace_id"]);
    assert_ne!(lines[0]["span_id"], lines[1]["span_id"]);
    assert_ne!(lines[0]["trace_id"], lines[2]["trace_id"]);
    assert_eq!(lines[3].get("trace_id"), None);
}

#[derive(Debug, thiserror::Error)]
#[error("the quantity is no number")]
struct BadQuantity(#[source] ParseIntError);

#[test]
fn an_error_is_logged_with_all_its_causes() {
    let installed = json("info");
    let cause = BadQuantity("x".parse::<i64>().unwrap_err());
    error!(
        error = &cause as &(dyn std::error::Error + 'static),
        "refused"
    );
    assert_eq!(
        installed.log.lines()[0]["error"],
        "the quantity is no number: invalid digit found in string"
    );
}

#[test]
fn a_field_cannot_take_the_place_of_the_head() {
    let installed = json("info");
    warn!(level = "mine", target = "yours", text = "a\n\"b\"", "text");
    let line = &installed.log.lines()[0];
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["field.level"], "mine");
    assert_eq!(line["field.target"], "yours");
    assert_eq!(line["text"], value!("a\n\"b\""));
    assert_eq!(installed.log.text().lines().count(), 1);
}

#[test]
fn fields_for_the_layer_of_traces_are_not_logged() {
    let installed = json("info");
    info_span!("call", otel.kind = "server", rpc.method = "Get").in_scope(|| info!("x"));
    let line = &installed.log.lines()[0];
    assert_eq!(line.get("otel.kind"), None);
    assert_eq!(line["rpc.method"], "Get");
}

#[test]
fn a_pretty_line_is_short_and_ends_with_the_trace() {
    let installed = install(&settings("info", LogFormat::Pretty));
    info_span!("request", order.id = "o-1").in_scope(|| info!(note = "two words", "placed"));
    info!("outside");
    let text = installed.log.text();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].contains("  INFO it::lines "), "{text}");
    assert!(
        lines[0].contains(" placed note=\"two words\" order.id=o-1 trace="),
        "{text}"
    );
    assert_eq!(lines[0].split("trace=").nth(1).unwrap().len(), 32, "{text}");
    assert!(lines[1].ends_with(" outside"), "{text}");
}

#[test]
fn a_pretty_line_shows_a_text_of_several_lines_as_a_block_below() {
    let installed = install(&settings("info", LogFormat::Pretty));
    info!(backtrace = "0: main\n1: start\n", code = 7, "broken");
    let text = installed.log.text();
    assert!(
        text.ends_with(" broken code=7\n0: main\n1: start\n"),
        "{text}"
    );
}
