//! W3C trace context and baggage, in and out.
//!
//! What goes out is always the *current* span, never the one that came in:
//! else the spans of this process would be missing in the chain.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::TraceContextExt,
};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

const TRACEPARENT: &str = "traceparent";

/// `None` outside of any span.
pub fn current_traceparent() -> Option<String> {
    let mut headers = HeaderMap::new();
    inject(&mut headers);
    let value = headers.get(TRACEPARENT)?;
    value.to_str().ok().map(str::to_owned)
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

/// Links `span`, which works for many callers at once, to one of them.
pub fn add_link(span: &Span, traceparent: &str) {
    let context = extract(&Stored(traceparent));
    span.add_link(context.span().span_context().clone());
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
