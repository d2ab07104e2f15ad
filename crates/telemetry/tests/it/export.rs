//! What reaches a collector, and what happens when there is none.

use std::time::{Duration, Instant};

use telemetry::LogFormat;
use tracing::info_span;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::{SERVICE, collector::Collector, install, settings};

#[tokio::test(flavor = "multi_thread")]
async fn spans_reach_the_collector_by_the_flush_and_the_export_traces_nothing() {
    let (collector, endpoint) = Collector::start().await;
    let loud = "trace,h2=trace,hyper=trace,hyper_util=trace,tonic=trace,tower=trace";
    let mut settings = settings(loud, LogFormat::Json);
    settings.telemetry.otlp_endpoint = Some(endpoint);
    let writer = BoxMakeWriter::new(std::io::sink);
    let (subscriber, guard) = telemetry::build(&settings, &SERVICE, writer, false).unwrap();
    // For all threads: the exporter works on its own.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    info_span!("place_order").in_scope(|| info_span!("reserve").in_scope(|| {}));
    // One export has happened when the flush exports what that has left.
    while collector.span_names().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    info_span!("capture").in_scope(|| {});
    guard.flush().await;
    let mut names = collector.span_names();
    names.sort();
    assert_eq!(names, ["capture", "place_order", "reserve"]);
    let resource = |name: &str| collector.resource(name).unwrap();
    assert_eq!(resource("service.name"), "order-service");
    assert_eq!(resource("service.version"), "1.2.3");
    assert_eq!(resource("deployment.environment.name"), "test");
    assert!(!resource("service.instance.id").is_empty());
}

/// Also on the runtime's own single thread, where a plain shutdown would wait
/// for itself.
#[tokio::test]
async fn a_flush_without_a_collector_gives_up_after_three_seconds() {
    // A listener that never answers: worse than none.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut settings = settings("info", LogFormat::Json);
    settings.telemetry.otlp_endpoint = Some(format!("http://{}", silent.local_addr().unwrap()));
    let installed = install(&settings);
    info_span!("lost").in_scope(|| {});
    let began = Instant::now();
    installed.guard.flush().await;
    assert!(
        began.elapsed() < Duration::from_millis(3_500),
        "{:?}",
        began.elapsed()
    );
    assert!(
        installed.log.text().contains("the last traces are lost"),
        "{}",
        installed.log.text()
    );
}
