//! The metrics as a scraper gets them.

use std::sync::LazyLock;

use telemetry::metrics::{self, Counter, Format, Histogram, KeyValue};
use tracing::info_span;

use crate::{install, json, settings};

static ACCEPTED: LazyLock<Counter> = LazyLock::new(|| {
    metrics::counter(
        "it.accepted",
        "{order}",
        "Orders \"accepted\"\nof a \\ day.",
    )
});
static WAITED: LazyLock<Histogram> =
    LazyLock::new(|| metrics::histogram("it.waited", "s", "How long.", &[0.5, 2.0]));

fn text(format: Format) -> String {
    metrics::install();
    metrics::text(format)
}

/// The lines that begin with `start`.
fn lines(text: &str, start: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| line.starts_with(start));
    lines.map(str::to_owned).collect()
}

#[test]
fn a_counter_is_a_total_with_its_labels_in_order_and_escaped() {
    metrics::install();
    let labels = [
        KeyValue::new("z.reason", "a\\b\"c\nd"),
        KeyValue::new("attempt", 2),
    ];
    ACCEPTED.add(2, &labels);
    ACCEPTED.add(1, &labels);
    let prometheus = lines(&text(Format::Prometheus), "");
    let at = prometheus
        .iter()
        .position(|line| line.contains("it_accepted"))
        .unwrap();
    assert_eq!(
        prometheus[at..at + 3],
        [
            r#"# HELP it_accepted_total Orders "accepted"\nof a \\ day."#,
            "# TYPE it_accepted_total counter",
            r#"it_accepted_total{attempt="2",z_reason="a\\b\"c\nd"} 3"#,
        ]
    );
    let openmetrics = text(Format::OpenMetrics);
    let help = r#"# HELP it_accepted Orders \"accepted\"\nof a \\ day."#;
    assert!(openmetrics.contains(help), "{openmetrics}");
    assert!(openmetrics.contains("\n# TYPE it_accepted counter\n"));
    assert!(openmetrics.contains("\nit_accepted_total{attempt="));
    assert!(openmetrics.ends_with("\n# EOF\n"));
}

#[test]
fn a_histogram_counts_up_to_each_bound_and_points_to_a_sampled_span() {
    metrics::install();
    let installed = json("info");
    let label = [KeyValue::new("verb", "reserve")];
    let trace = info_span!("measured").in_scope(|| {
        WAITED.record(0.25, &label);
        WAITED.record(0.5, &label);
        telemetry::propagation::current_traceparent().unwrap()[3..35].to_owned()
    });
    WAITED.record(64.0, &label);
    drop(installed);
    let expected = [
        r#"it_waited_seconds_bucket{verb="reserve",le="0.5"} 2"#,
        r#"it_waited_seconds_bucket{verb="reserve",le="2.0"} 2"#,
        r#"it_waited_seconds_bucket{verb="reserve",le="+Inf"} 3"#,
        r#"it_waited_seconds_sum{verb="reserve"} 64.75"#,
        r#"it_waited_seconds_count{verb="reserve"} 3"#,
    ];
    let prometheus = text(Format::Prometheus);
    assert_eq!(lines(&prometheus, "it_waited_seconds"), expected);
    let openmetrics = text(Format::OpenMetrics);
    assert!(openmetrics.contains("\n# UNIT it_waited_seconds seconds\n"));
    let buckets = lines(&openmetrics, "it_waited_seconds_bucket");
    let (bucket, exemplar) = buckets[0].split_once(" # ").unwrap();
    assert_eq!(bucket, expected[0]);
    let start = format!("{{trace_id=\"{trace}\",span_id=\"");
    assert!(exemplar.starts_with(&start), "{exemplar}");
    let rest = exemplar.split_once("\"} ").unwrap().1;
    let (value, at) = rest.split_once(' ').unwrap();
    assert_eq!(value, "0.5", "the last one of the bucket");
    let now = chrono::Utc::now().timestamp() as f64;
    assert!((now - at.parse::<f64>().unwrap()).abs() < 60.0, "{at}");
    assert_eq!(buckets[2], expected[2], "no span, no exemplar");
}

#[test]
fn a_span_that_is_not_sampled_is_no_exemplar() {
    static UNSEEN: LazyLock<Histogram> =
        LazyLock::new(|| metrics::histogram("it.unseen", "s", "Nobody's.", &[1.0]));
    metrics::install();
    let mut settings = settings("info", telemetry::LogFormat::Json);
    settings.telemetry.sample_ratio = Some(0.0.try_into().unwrap());
    let _installed = install(&settings);
    info_span!("unsampled").in_scope(|| UNSEEN.record(0.5, &[]));
    let openmetrics = text(Format::OpenMetrics);
    let buckets = lines(&openmetrics, "it_unseen_seconds_bucket");
    assert_eq!(
        buckets,
        [
            r#"it_unseen_seconds_bucket{le="1.0"} 1"#,
            r#"it_unseen_seconds_bucket{le="+Inf"} 1"#
        ]
    );
}

#[test]
fn several_parts_observe_one_name_and_one_that_panics_hides_only_itself() {
    let pool = |name: &'static str, size: f64| {
        metrics::observe("it.pool", "{connection}", "Open.", move |seen| {
            seen.set(size, &[KeyValue::new("db.namespace", name)]);
        });
    };
    pool("orders", 3.0);
    metrics::install();
    pool("payments", 4.5);
    metrics::observe("it.broken", "By", "Never seen.", |_| panic!("a bug"));
    metrics::observe_total("it.cpu", "s", "Spent.", |seen| seen.set(1.5, &[]));
    let text = text(Format::Prometheus);
    let mut pools = lines(&text, "it_pool{");
    pools.sort();
    assert_eq!(
        pools,
        [
            r#"it_pool{db_namespace="orders"} 3"#,
            r#"it_pool{db_namespace="payments"} 4.5"#
        ]
    );
    assert_eq!(lines(&text, "it_cpu"), ["it_cpu_seconds_total 1.5"]);
    assert!(lines(&text, "it_broken").is_empty());
}
