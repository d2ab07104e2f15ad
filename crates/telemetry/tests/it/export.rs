//! What reaches a collector, over both protocols, and in what shape.

use telemetry::{LogFormat, OtlpProtocol, Variables};
use tracing::{info, info_span, warn};

use crate::{
    SERVICE,
    collector::{Collector, text_of},
    http_collector, install_with, settings, sink,
};

/// The only test that installs itself for the whole process, because exporters
/// and their transport work on threads of their own.
#[tokio::test(flavor = "multi_thread")]
async fn spans_reach_the_collector_by_the_flush_and_the_export_tells_nothing_of_itself() {
    let (collector, address) = Collector::start().await;
    let loud = "trace,h2=trace,hyper=trace,hyper_util=trace,tonic=trace,tower=trace";
    let mut settings = settings(loud, LogFormat::Json);
    settings.telemetry.otlp_endpoint = Some(format!("http://{address}"));
    let (subscriber, guard) = telemetry::build(&settings, &SERVICE, sink(), false).unwrap();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    info_span!("place_order").in_scope(|| info_span!("reserve").in_scope(|| info!("held")));
    // One export has happened when the flush exports what that has left.
    collector.wait(|kept| kept.spans.first().map(drop)).await;
    collector.wait(|kept| kept.records.first().map(drop)).await;
    info_span!("capture").in_scope(|| {});
    guard.flush().await;
    let mut names = collector.span_names();
    // Other tests of this binary may speak where they have no subscriber.
    names.retain(|name| ["place_order", "reserve", "capture"].contains(&name.as_str()));
    names.sort();
    assert_eq!(names, ["capture", "place_order", "reserve"]);
    let transport = ["h2", "hyper", "tonic", "tower", "opentelemetry"];
    collector.look(|kept| {
        for record in &kept.records {
            let target = format!("{record:?}");
            let names = transport.map(|name| format!("StringValue(\"{name}"));
            assert!(!names.iter().any(|name| target.contains(name)), "{target}");
        }
        for span in &kept.spans {
            assert!(!span.name.contains("Export"), "{}", span.name);
        }
    });
    let resource = |name: &str| collector.resource(name).unwrap();
    assert_eq!(resource("service.name"), "order-service");
    assert_eq!(resource("service.version"), "1.2.3");
    assert_eq!(resource("deployment.environment.name"), "test");
    assert!(!resource("service.instance.id").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_the_log_has_the_ids_of_its_span_and_all_fields() {
    let (collector, address) = Collector::start().await;
    let endpoint = format!("http://{address}");
    let variables = Variables::of(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "12"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
    ]);
    let installed = install_with(&settings("info", LogFormat::Json), &variables);
    info_span!("request", order.id = "o-1")
        .in_scope(|| warn!(sku = %"A1", quantity = 3, "stock is short of it"));
    let line = installed.log.lines()[0].clone();
    installed.guard.flush().await;
    let record = collector.look(|kept| kept.records[0].clone());
    assert_eq!(hex(&record.trace_id), line["trace_id"]);
    assert_eq!(hex(&record.span_id), line["span_id"]);
    assert_eq!(record.severity_text, "WARN");
    assert_eq!(record.severity_number, 13);
    let body = format!("{:?}", record.body.unwrap());
    assert!(body.contains("\"stock is sho\""), "{body}");
    let field = |name| text_of(&record.attributes, name).unwrap();
    assert_eq!(field("order.id"), "o-1");
    assert_eq!(field("sku"), "A1");
    assert_eq!(field("quantity"), "IntValue(3)");
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_pushed_too() {
    let (collector, address) = Collector::start().await;
    let mut settings = settings("info", LogFormat::Json);
    settings.telemetry.otlp_endpoint = Some(format!("http://{address}"));
    let installed = install_with(&settings, &Variables::of(&[]));
    let placed = installed.guard.meter().u64_counter("it.placed").build();
    placed.add(2, &[]);
    installed.guard.flush().await;
    let sum = collector.look(|kept| {
        let metric = kept
            .metrics
            .iter()
            .find(|metric| metric.name == "it.placed");
        format!("{:?}", metric.and_then(|metric| metric.data.clone()))
    });
    assert!(sum.contains("AsInt(2)"), "{sum}");
}

#[tokio::test(flavor = "multi_thread")]
async fn http_and_protobuf_are_spoken_where_they_are_asked_for() {
    let (collector, address) = http_collector::start().await;
    let mut settings = settings("info", LogFormat::Json);
    settings.telemetry.otlp_endpoint = Some(format!("http://{address}"));
    settings.telemetry.otlp_protocol = Some(OtlpProtocol::HttpProtobuf);
    let installed = install_with(&settings, &Variables::of(&[]));
    info_span!("place_order").in_scope(|| {});
    installed.guard.flush().await;
    assert_eq!(collector.span_names(), ["place_order"]);
    assert!(!installed.log.text().contains("lost"));
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_of_spans_are_cut_and_counted_as_the_variables_say() {
    let (collector, address) = Collector::start().await;
    let endpoint = format!("http://{address}");
    let variables = Variables::of(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "5"),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", "1"),
    ]);
    let installed = install_with(&settings("info", LogFormat::Json), &variables);
    info_span!("place_order", note = "0123456789").in_scope(|| {
        info!("one");
        info!("two");
    });
    installed.guard.flush().await;
    let span = collector.look(|kept| kept.spans[0].clone());
    assert_eq!(text_of(&span.attributes, "note").unwrap(), "01234");
    assert_eq!((span.events.len(), span.dropped_events_count), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sampler_that_is_off_keeps_nothing_also_of_callers_that_want_it() {
    let (collector, address) = Collector::start().await;
    let endpoint = format!("http://{address}");
    let variables = Variables::of(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_TRACES_SAMPLER", "always_off"),
    ]);
    let installed = install_with(&settings("info", LogFormat::Json), &variables);
    let asked = info_span!("asked");
    let sampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    telemetry::propagation::set_parent_from(&asked, sampled);
    asked.in_scope(|| info!("x"));
    drop(asked);
    installed.guard.flush().await;
    assert!(collector.span_names().is_empty());
    let records = collector.look(|kept| kept.records.len());
    assert_eq!(records, 1, "the log is another signal");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_sdk_sends_nothing_and_the_log_has_ids_all_the_same() {
    let (collector, address) = Collector::start().await;
    let mut settings = settings("info", LogFormat::Json);
    settings.telemetry.otlp_endpoint = Some(format!("http://{address}"));
    let installed = install_with(&settings, &Variables::of(&[("OTEL_SDK_DISABLED", "true")]));
    info_span!("request").in_scope(|| info!("x"));
    assert!(installed.log.lines()[0]["trace_id"].is_string());
    installed.guard.flush().await;
    let sent = collector.look(|kept| (kept.spans.len(), kept.records.len(), kept.metrics.len()));
    assert_eq!(sent, (0, 0, 0));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
