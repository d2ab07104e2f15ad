//! What passes the filter, also when it changes, and also behind the back of
//! `tracing`.

use telemetry::{Level, LogFormat, Variables, propagation::current_traceparent};
use tracing::{Level as Severity, debug, error, info, info_span, span, warn};

use crate::{install, install_with, json, settings};

#[test]
fn the_level_can_be_set_per_target() {
    let installed = json("warn,shop::stock=debug");
    info!("hidden");
    warn!("shown");
    debug!(target: "shop::stock::hold", "shown too");
    let messages: Vec<_> = installed
        .log
        .lines()
        .into_iter()
        .map(|l| l["message"].clone())
        .collect();
    assert_eq!(messages, ["shown", "shown too"]);
}

#[test]
fn the_level_changes_while_the_process_runs() {
    let installed = json("info");
    let level = installed.guard.level();
    let speak = || debug!("detail");
    speak();
    level.set("debug".parse().unwrap());
    speak();
    assert_eq!(level.get(), "debug");
    level.set("info".parse().unwrap());
    speak();
    assert_eq!(installed.log.lines().len(), 1);
}

#[test]
fn a_level_that_is_none_is_refused() {
    for text in ["loud", "info,", "a=b", "infos", "shop"] {
        assert!(text.parse::<Level>().is_err(), "{text}");
    }
    for text in ["off", "INFO", "warn,shop=debug,sqlx=off", "shop=trace"] {
        assert!(text.parse::<Level>().is_ok(), "{text}");
    }
}

#[test]
fn spans_are_traced_also_where_nothing_is_logged() {
    let installed = json("off");
    info_span!("request").in_scope(|| {
        assert!(current_traceparent().is_some());
        error!("hidden");
    });
    assert_eq!(installed.log.text(), "");
}

#[test]
fn spans_of_the_transport_are_never_traced() {
    let _installed = json("trace");
    for span in [
        span!(target: "h2::proto", Severity::ERROR, "frame"),
        span!(target: "hyper_util::client", Severity::INFO, "connect"),
        span!(target: "tonic", Severity::INFO, "call"),
    ] {
        assert!(span.is_disabled());
    }
    let ours = span!(target: "tonic_like", Severity::INFO, "call");
    assert!(!ours.is_disabled());
}

#[test]
fn the_transport_is_quiet_unless_it_is_asked_for_by_name() {
    let installed = json("debug");
    debug!(target: "h2::codec", "frame");
    assert_eq!(installed.log.text(), "");
    let installed = json("debug,h2=debug");
    debug!(target: "h2::codec", "frame");
    assert_eq!(installed.log.lines().len(), 1);
}

/// With per-layer filters the question leaves bits behind that switch the next
/// span off (tokio-rs/tracing#2519). Database drivers ask after each query.
#[test]
fn a_question_of_the_log_crate_loses_no_span() {
    let _ = tracing_log::LogTracer::init();
    log::set_max_level(log::LevelFilter::Trace);
    let _installed = json("info");
    for _ in 0..100 {
        assert!(!log::log_enabled!(target: "sqlx::query", log::Level::Debug));
        let span = info_span!("after");
        assert!(!span.is_disabled());
        span.in_scope(|| assert!(current_traceparent().is_some()));
    }
}

#[test]
fn records_of_the_log_crate_are_logged_under_their_own_target() {
    let _ = tracing_log::LogTracer::init();
    log::set_max_level(log::LevelFilter::Trace);
    let installed = json("warn");
    log::info!(target: "driver", "hidden");
    log::warn!(target: "driver", "the query was slow");
    let lines = installed.log.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["target"], "driver");
    assert_eq!(lines[0]["level"], "WARN");
    assert_eq!(lines[0]["message"], "the query was slow");
    assert_eq!(lines[0].get("log.target"), None);
}

#[test]
fn an_unsampled_trace_still_has_valid_ids() {
    let mut settings = settings("info", LogFormat::Json);
    settings.telemetry.sample_ratio = Some(0.0.try_into().unwrap());
    let _installed = install(&settings);
    let traceparent = info_span!("request").in_scope(|| current_traceparent().unwrap());
    assert!(traceparent.ends_with("-00"), "{traceparent}");
    assert_ne!(&traceparent[3..35], "0".repeat(32));
}

#[test]
fn what_opentelemetry_says_of_itself_has_its_own_level_by_its_own_variable() {
    let shown = |level| {
        let variables = Variables::of(&[("OTEL_LOG_LEVEL", level)]);
        let installed = install_with(&settings("info", LogFormat::Json), &variables);
        debug!(target: "opentelemetry_sdk", "detail");
        error!(target: "opentelemetry_sdk", "trouble");
        debug!("not ours to show");
        installed.log.lines().len()
    };
    assert_eq!(shown("debug"), 2);
    assert_eq!(shown("error"), 1);
    assert_eq!(shown("off"), 0);
    assert_eq!(shown("loud"), 1, "as without it");
}
