//! W3C trace context and baggage, in and out.
//!
//! What goes out is always the *current* span, never the one that came in:
//! else the spans of this process would be missing in the chain.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::{SpanContext, TraceContextExt, TraceFlags},
};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

const TRACEPARENT: &str = "traceparent";

/// `None` outside of any span.
pub fn current_traceparent() -> Option<String> {
    traceparent_of(&Span::current())
}

/// What others need to go on under `span`. `None` for a span that is none.
pub fn traceparent_of(span: &Span) -> Option<String> {
    let context = context_of(span);
    let flags = context.trace_flags() & TraceFlags::SAMPLED;
    let (trace, id) = (context.trace_id(), context.span_id());
    context
        .is_valid()
        .then(|| format!("00-{trace}-{id}-{flags:02x}"))
}

/// Whether `span` is exported. Who makes spans for others asks this first, so
/// that traces that are not kept cost nothing.
pub fn is_sampled(span: &Span) -> bool {
    context_of(span).is_sampled()
}

/// The same of a span of another process, or of another time.
pub fn says_sampled(traceparent: &str) -> bool {
    context_in(traceparent).is_sampled()
}

/// Writes the current span (and baggage) into the headers of a request.
pub fn inject(headers: &mut HeaderMap) {
    let context = Span::current().context();
    let mut carrier = Headers(headers);
    TraceContextPropagator::new().inject_context(&context, &mut carrier);
    BaggagePropagator::new().inject_context(&context, &mut carrier);
}

/// Makes `span` a child of the caller's span. Call it before the span is
/// entered: then it has begun, and its parent is fixed. Without a valid
/// `traceparent` the span stays as it is.
pub fn set_parent(span: &Span, headers: &HeaderMap) {
    adopt(span, &HeadersRef(headers));
}

/// The same from a `traceparent` that was stored, in an outbox for instance.
pub fn set_parent_from(span: &Span, traceparent: &str) {
    adopt(span, &Stored(traceparent));
}

/// Links `span` to one that it has to do with and that is not above it: whoever
/// looks at one finds the other, also where that is in another trace.
pub fn link(span: &Span, to: &Span) {
    span.add_link(context_of(to));
}

/// The same to a span of another process, or of another time.
pub fn add_link(span: &Span, traceparent: &str) {
    span.add_link(context_in(traceparent));
}

fn context_of(span: &Span) -> SpanContext {
    span.context().span().span_context().clone()
}

fn context_in(traceparent: &str) -> SpanContext {
    let context =
        TraceContextPropagator::new().extract_with_context(&Context::new(), &Stored(traceparent));
    context.span().span_context().clone()
}

fn extract(carrier: &dyn Extractor) -> Context {
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), carrier);
    BaggagePropagator::new().extract_with_context(&context, carrier)
}

fn adopt(span: &Span, carrier: &dyn Extractor) {
    let context = extract(carrier);
    if !context.span().span_context().is_valid() {
        return;
    }
    // Fails also where spans are switched off, which is nobody's mistake.
    if let Err(error) = span.set_parent(context) {
        tracing::debug!(%error, "a span did not get its remote parent");
    }
}

struct Headers<'a>(&'a mut HeaderMap);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        let name = HeaderName::from_bytes(key.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
            self.0.insert(name, value);
        }
    }
}

struct HeadersRef<'a>(&'a HeaderMap);

impl Extractor for HeadersRef<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct Stored<'a>(&'a str);

impl Extractor for Stored<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == TRACEPARENT).then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}
