//! What the private listener says of the process in numbers, and what it lets
//! people change.

use std::{
    collections::HashSet,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    time::{Duration, Instant},
};

use crate::child::Service;

const PATIENCE: Duration = Duration::from_secs(20);

/// The value of the series that stands there without labels.
fn value(text: &str, name: &str) -> f64 {
    let start = format!("{name} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&start));
    let value = line.unwrap_or_else(|| panic!("no {name} in\n{text}"));
    value.parse().unwrap()
}

fn metrics(service: &Service) -> String {
    let (code, text) = service.ask("GET", "/metrics", "").unwrap();
    assert_eq!(code, 200);
    text
}

#[test]
fn a_process_tells_of_its_runtime_its_memory_and_its_files() {
    let service = Service::started(&[]);
    let text = metrics(&service);
    assert!(value(&text, "tokio_workers") >= 2.0);
    assert!(value(&text, "tokio_tasks_alive") >= 1.0);
    assert!(value(&text, "process_uptime_seconds") > 0.0);
    let (allocated, resident) = (
        value(&text, "allocator_allocated_bytes"),
        value(&text, "allocator_resident_bytes"),
    );
    assert!(allocated > 100_000.0, "{allocated}");
    assert!(resident >= allocated, "{resident}");
    if cfg!(target_os = "linux") {
        assert!(value(&text, "process_memory_rss_bytes") > 1_000_000.0);
        assert!(value(&text, "process_open_files") > 3.0);
        assert!(value(&text, "process_cpu_time_seconds_total") >= 0.0);
    }
    assert_eq!(value(&text, "panics_total"), 0.0);
    assert!(text.contains("target_info{"), "{text}");
    assert!(text.contains("service_name=\"small-service\""), "{text}");
    let busy = |text: &str| value(text, "tokio_busy_duration_seconds_total");
    let (before, began) = (busy(&text), Instant::now());
    while busy(&metrics(&service)) <= before {
        assert!(began.elapsed() < PATIENCE, "it works and is never busy");
    }
}

/// Every series belongs to a family with help and type, and stands there once.
#[test]
fn the_text_is_well_formed() {
    let service = Service::started(&[]);
    let text = metrics(&service);
    let mut families = HashSet::new();
    let mut series = HashSet::new();
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').unwrap();
            assert!(help.ends_with('.'), "{line}");
            assert!(families.insert(name), "{line}");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert!(families.contains(name), "{line}");
            assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
        } else {
            let (key, number) = line.rsplit_once(' ').unwrap();
            assert!(number.parse::<f64>().is_ok(), "{line}");
            let name = key.split('{').next().unwrap();
            assert!(families.contains(name), "{line}");
            assert!(series.insert(key), "{line}");
        }
    }
    assert!(series.len() > 10);
}

#[test]
fn a_scraper_that_knows_openmetrics_gets_it() {
    let service = Service::started(&[]);
    let accept = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.5";
    let mut stream = TcpStream::connect(service.address).unwrap();
    let request = format!(
        "GET /metrics HTTP/1.1\r\nhost: x\r\naccept: {accept}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let kind = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n";
    assert!(answer.contains(kind), "{answer}");
    assert!(answer.contains("\n# UNIT process_uptime_seconds seconds\n"));
    assert!(answer.contains("# EOF\n"), "{answer}");
}

#[test]
fn the_share_of_traces_can_be_read_and_changed() {
    let service = Service::started(&[]);
    let ask = |method, body| service.ask(method, "/trace/ratio", body).unwrap();
    assert_eq!(ask("GET", ""), (200, "1".to_owned()));
    assert_eq!(ask("PUT", "0.25\n"), (200, "0.25".to_owned()));
    assert_eq!(ask("PUT", "2").0, 400);
    assert_eq!(ask("GET", "").1, "0.25");
}

#[test]
fn the_level_of_one_module_can_be_changed() {
    let service = Service::started(&[]);
    let ask = |method, body| service.ask(method, "/log/level", body).unwrap();
    let wanted = "info,small_service=debug";
    assert_eq!(ask("PUT", wanted), (200, wanted.to_owned()));
    assert_eq!(ask("GET", "").1, wanted);
    assert_eq!(ask("PUT", "loud").0, 400);
}

#[test]
fn a_bad_variable_is_named_in_the_log_and_stops_nothing() {
    let service = Service::started(&[
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "many"),
        ("OTEL_PROPAGATORS", "b3"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team"),
    ]);
    service.signal("TERM");
    let ended = service.ended();
    assert_eq!(ended.code, Some(0));
    for name in [
        "OTEL_TRACES_SAMPLER",
        "OTEL_BSP_MAX_QUEUE_SIZE",
        "OTEL_PROPAGATORS",
        "OTEL_RESOURCE_ATTRIBUTES",
    ] {
        let is_told = |line: &&str| line.contains("is not understood") && line.contains(name);
        let lines = ended.errors.lines().filter(is_told).count();
        assert_eq!(lines, 1, "{name}: {}", ended.errors);
    }
}

#[test]
fn a_disabled_sdk_counts_nothing() {
    let service = Service::started(&[("OTEL_SDK_DISABLED", "true")]);
    assert_eq!(metrics(&service), "");
}

/// Headers and protocol come from the environment alone.
#[test]
fn the_exporter_sends_the_headers_that_the_variables_say() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/base", collector.local_addr().unwrap());
    let service = Service::started(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-team=a%20b"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "none"),
    ]);
    let (mut stream, _) = collector.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let began = Instant::now();
    let mut head = Vec::new();
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        let mut bytes = [0; 1024];
        let count = stream.read(&mut bytes).unwrap();
        assert!(count > 0 && began.elapsed() < PATIENCE);
        head.extend_from_slice(&bytes[..count]);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    assert!(
        head.starts_with("post /base/v1/logs http/1.1\r\n"),
        "{head}"
    );
    for line in ["x-team: a b", "content-encoding: gzip"] {
        assert!(head.contains(line), "{head}");
    }
    drop(service);
}
