//! What a panic leaves behind.

use telemetry::{LogFormat, Variables, metrics};
use tracing::info_span;

use crate::{
    collector::{Collector, text_of},
    install_with, settings,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_counted_logged_and_an_exception_of_its_span() {
    metrics::install();
    let (collector, address) = Collector::start().await;
    let mut settings = settings("info", LogFormat::Json);
    settings.telemetry.otlp_endpoint = Some(format!("http://{address}"));
    let installed = install_with(&settings, &Variables::of(&[]));
    let usual = std::panic::take_hook();
    telemetry::record_panics();
    let caught = std::panic::catch_unwind(|| {
        info_span!("request").in_scope(|| -> () { panic!("a bug") });
    });
    std::panic::set_hook(usual);
    assert!(caught.is_err());
    let lines = installed.log.lines();
    let line = lines.iter().find(|line| line["target"] == "panic").unwrap();
    assert_eq!(line["message"], "panicked: a bug");
    installed.guard.flush().await;
    let span = collector.look(|kept| kept.spans[0].clone());
    assert_eq!(span.status.unwrap().code, 2, "error");
    let mut events = span.events.iter();
    let exception = events.find(|event| event.name == "exception").unwrap();
    let message = text_of(&exception.attributes, "exception.message");
    assert_eq!(message.as_deref(), Some("a bug"));
    let text = metrics::text(metrics::Format::Prometheus);
    let count = text
        .lines()
        .find_map(|line| line.strip_prefix("panics_total "));
    assert!(count.unwrap().parse::<u64>().unwrap() >= 1);
}
