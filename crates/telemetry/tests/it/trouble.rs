//! A collector that is away, full, or silent: nobody waits for it, and what is
//! lost is counted.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use telemetry::{
    LogFormat, Variables,
    metrics::{self, Format},
};
use tracing::{info, info_span};

use crate::{install_with, settings};

/// What the flush may take, and what a busy machine may add.
const FLUSH: Duration = Duration::from_secs(3 + 2);

/// It accepts, by its backlog, and never answers: worse than none.
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    (listener, endpoint)
}

/// Of one signal, for all reasons, over all tests of this process.
fn dropped(signal: &str) -> u64 {
    metrics::install();
    let text = metrics::text(Format::Prometheus);
    let of_signal = format!("signal=\"{signal}\"");
    let lines = text
        .lines()
        .filter(|line| line.starts_with("telemetry_dropped_total{") && line.contains(&of_signal));
    let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
    values.sum()
}

/// Also on the runtime's own single thread, where a plain shutdown would wait
/// for itself.
#[tokio::test]
async fn a_flush_gives_up_after_three_seconds_over_either_protocol() {
    for protocol in ["grpc", "http/protobuf"] {
        let (_listener, endpoint) = silent();
        let variables = Variables::of(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            // Longer than the flush has.
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "60000"),
        ]);
        let installed = install_with(&settings("info", LogFormat::Json), &variables);
        info_span!("lost").in_scope(|| info!("lost too"));
        let began = Instant::now();
        installed.guard.flush().await;
        let elapsed = began.elapsed();
        assert!(elapsed < FLUSH, "{protocol}: {elapsed:?}");
        let log = installed.log.text();
        assert!(log.contains("the last telemetry is lost"), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_drops_at_once_and_counts_what_it_drops() {
    const QUEUE: u64 = 16;
    const SPANS: u64 = 2_000;
    let (_listener, endpoint) = silent();
    let variables = Variables::of(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "60000"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "16"),
        ("OTEL_BLRP_MAX_QUEUE_SIZE", "16"),
    ]);
    let installed = install_with(&settings("info", LogFormat::Json), &variables);
    let before = (dropped("traces"), dropped("logs"));
    let began = Instant::now();
    for _ in 0..SPANS {
        info_span!("work").in_scope(|| info!("worked"));
    }
    // A single wait for the collector would take a minute.
    assert!(began.elapsed() < Duration::from_secs(20));
    // One batch is on its way, the queue is full, the rest is gone.
    let least = SPANS - 2 * QUEUE;
    assert!(dropped("traces") - before.0 >= least);
    assert!(dropped("logs") - before.1 >= least);
    assert_eq!(installed.log.lines().len() as u64, SPANS, "stderr has all");
    installed.guard.flush().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_that_fail_are_counted() {
    // Nobody listens there any more.
    let endpoint = silent().1;
    let variables = Variables::of(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "20"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "100"),
    ]);
    let installed = install_with(&settings("info", LogFormat::Json), &variables);
    let before = dropped("traces");
    let began = Instant::now();
    let mut made = 0;
    while dropped("traces") < before + 3 {
        info_span!("work").in_scope(|| {});
        made += 1;
        assert!(began.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(made >= 3);
    installed.guard.flush().await;
}

#[tokio::test]
async fn a_bad_endpoint_in_a_variable_sends_nothing_and_in_the_settings_stops_the_start() {
    let variables = Variables::of(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://no way")]);
    let installed = install_with(&settings("info", LogFormat::Json), &variables);
    info_span!("work").in_scope(|| {});
    installed.guard.flush().await;
    let mut settings = settings("info", LogFormat::Json);
    settings.telemetry.otlp_endpoint = Some("http://no way".to_owned());
    let built = telemetry::build_from(
        &settings,
        &crate::SERVICE,
        crate::sink(),
        false,
        &Variables::of(&[]),
    );
    let error = built.err().unwrap().to_string();
    assert!(error.starts_with("telemetry.otlp_endpoint: "), "{error}");
}
