//! Where the work of a batch is seen.

use std::{io, time::Duration};

use batch::Gatherer;
use telemetry::propagation::{set_parent_from, traceparent_of};
use trace_store::{Span, TraceStore};
use tracing::{Instrument, dispatcher::Dispatch, info_span};
use tracing_subscriber::fmt::writer::BoxMakeWriter;

const NOT_KEPT: &str = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-aaaaaaaaaaaaaaaa-00";
const FIRST_KEPT: &str = "00-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-bbbbbbbbbbbbbbbb-01";
const SECOND_KEPT: &str = "00-cccccccccccccccccccccccccccccccc-cccccccccccccccc-01";

/// Calls under the trace of `traceparent`, and answers in which span it waited.
async fn call(gatherer: &Gatherer<String, String>, traceparent: &str) -> String {
    let span = info_span!("caller");
    set_parent_from(&span, traceparent);
    let calling = gatherer.call_with(|span| traceparent_of(span).unwrap());
    calling.instrument(span).await.unwrap()
}

/// What is told of three callers who share a batch.
async fn told() -> (Vec<Span>, [String; 3]) {
    let (store, endpoints) = TraceStore::start().await.unwrap();
    let mut settings = telemetry::Settings::default();
    settings.telemetry.otlp_endpoint = Some(endpoints.grpc);
    let service = telemetry::Service {
        name: "batch",
        version: "0",
        environment: "test",
    };
    let silent = BoxMakeWriter::new(io::sink);
    let (subscriber, guard) = telemetry::build(&settings, &service, silent, false).unwrap();
    let default = tracing::dispatcher::set_default(&Dispatch::new(subscriber));
    let gatherer = Gatherer::spawn("echo", 8, |inputs: Vec<String>| async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        inputs
    });
    // All have called before the worker, on the same thread, begins.
    let (one, two, three) = tokio::join!(
        call(&gatherer, NOT_KEPT),
        call(&gatherer, FIRST_KEPT),
        call(&gatherer, SECOND_KEPT),
    );
    drop(default);
    guard.flush().await;
    let whole = |store: &TraceStore| store.spans().len() >= 5;
    store.wait_until(Duration::from_secs(10), whole).await;
    (store.spans(), [one, two, three])
}

#[tokio::test]
async fn a_batch_is_below_the_first_caller_whose_trace_is_kept_and_linked_to_the_others() {
    let (spans, [not_kept, first, second]) = told().await;
    let named = |name: &str, traceparent: &str| {
        let trace = traceparent[3..35].to_owned();
        let mut found = spans.iter();
        found.find(|span| span.name == name && span.trace_id.to_string() == trace)
    };
    assert!(named("caller", NOT_KEPT).is_none());
    let [first_stay, second_stay] =
        [FIRST_KEPT, SECOND_KEPT].map(|trace| named("gathered", trace).unwrap());
    let batch = named("batch", FIRST_KEPT).unwrap();
    assert_eq!(spans.len(), 5, "{spans:#?}");
    assert_eq!(batch.parent_span_id, Some(first_stay.span_id));
    assert_eq!(batch.attribute("batch.size"), Some("3"));
    assert_eq!(batch.links.len(), 1);
    assert_eq!(batch.links[0].span_id, second_stay.span_id);
    assert_eq!(second_stay.links.len(), 1);
    assert_eq!(second_stay.links[0].span_id, batch.span_id);
    assert!(first_stay.links.is_empty(), "it is its parent");
    for stay in [first_stay, second_stay] {
        assert!(
            stay.start <= batch.start && batch.end <= stay.end,
            "{stay:#?}"
        );
    }
    // What goes on elsewhere for a caller goes on below where that waits.
    assert_eq!(first[36..52], first_stay.span_id.to_string());
    assert_eq!(second[36..52], second_stay.span_id.to_string());
    assert_eq!(not_kept, NOT_KEPT_CALLER.replace("{}", &not_kept[36..52]));
}

/// No span of its own: it waits in the caller's.
const NOT_KEPT_CALLER: &str = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-{}-00";
