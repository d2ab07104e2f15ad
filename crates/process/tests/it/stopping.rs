//! Signals, the order of a drain, and what happens when it does not go well.

use std::time::{Duration, Instant};

use crate::child::Service;

fn position(text: &str, line: &str) -> usize {
    text.find(line)
        .unwrap_or_else(|| panic!("no `{line}` in\n{text}"))
}

#[test]
fn sigterm_finishes_the_work_then_cleans_up_and_exits_0() {
    for signal in ["TERM", "INT"] {
        let service = Service::started(&[("CARTWRIGHT__WORK_MS", "300")]);
        service.signal(signal);
        let ended = service.ended();
        assert_eq!(ended.code, Some(0), "{}", ended.errors);
        let order = ["\"stopping\"", "work is done", "cleaned up", "\"drained\""]
            .map(|line| position(&ended.errors, line));
        assert!(order.is_sorted(), "{}", ended.errors);
    }
}

#[test]
fn a_draining_process_still_serves_until_its_endpoints_are_removed() {
    let mut service = Service::started(&[("CARTWRIGHT__DRAIN__ENDPOINT_REMOVAL_MS", "800")]);
    let began = Instant::now();
    service.signal("TERM");
    service.wait_until("/health/ready", 503);
    assert!(began.elapsed() < Duration::from_millis(500));
    assert_eq!(service.get("/health/live"), Some(200));
    assert!(service.is_running());
    let ended = service.ended();
    assert!(began.elapsed() >= Duration::from_millis(800));
    assert_eq!(ended.code, Some(0));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let mut service = Service::started(&[("CARTWRIGHT__WORK_MS", "9000")]);
        service.signal("TERM");
        service.wait_until("/health/ready", 503);
        assert!(service.is_running());
        let began = Instant::now();
        service.signal(signal);
        let ended = service.ended();
        assert_eq!(ended.code, Some(code), "{}", ended.errors);
        assert!(began.elapsed() < Duration::from_secs(1));
    }
}

#[test]
fn work_that_takes_longer_than_the_deadline_is_cut_off() {
    let service = Service::started(&[
        ("CARTWRIGHT__WORK_MS", "60000"),
        ("CARTWRIGHT__DRAIN__DEADLINE_MS", "300"),
    ]);
    let began = Instant::now();
    service.signal("TERM");
    let ended = service.ended();
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    position(&ended.errors, "the drain deadline has passed");
    position(&ended.errors, "cleaned up");
    assert_eq!(ended.code, Some(0));
}

#[test]
fn a_service_that_ignores_the_stop_is_ended_after_deadline_and_clean_up() {
    let service = Service::spawn(&[
        ("CARTWRIGHT__FAULT", "never_ends"),
        ("CARTWRIGHT__DRAIN__DEADLINE_MS", "100"),
    ]);
    service.wait_until("/health/live", 200);
    let began = Instant::now();
    service.signal("TERM");
    let ended = service.ended();
    assert_eq!(ended.code, Some(1));
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    position(&ended.errors, "did not end within the drain deadline");
}

#[test]
fn a_part_that_panics_takes_the_process_down_in_order() {
    let ended = Service::spawn(&[("CARTWRIGHT__FAULT", "part_panics")]).ended();
    assert_eq!(ended.code, Some(1));
    let line = ended
        .errors
        .lines()
        .find(|line| line.contains("panicked: a bug"));
    let line = line.unwrap_or_else(|| panic!("{}", ended.errors));
    assert!(
        line.starts_with('{') && line.contains("\"panic.location\":"),
        "{line}"
    );
    position(&ended.errors, "a part of the process failed");
    position(&ended.errors, "cleaned up");
}

#[test]
fn a_service_that_cannot_start_exits_1_and_says_why() {
    let ended = Service::spawn(&[("CARTWRIGHT__FAULT", "cannot_start")]).ended();
    assert_eq!(ended.code, Some(1));
    position(&ended.errors, "the database is gone");
}

#[test]
fn a_collector_that_does_not_answer_holds_up_the_end_for_three_seconds_at_most() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let service = Service::started(&[("CARTWRIGHT__TELEMETRY__OTLP_ENDPOINT", &endpoint)]);
    let began = Instant::now();
    service.signal("TERM");
    let ended = service.ended();
    assert_eq!(ended.code, Some(0));
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
}
