//! W3C trace context and baggage, in and out.
//!
//! What goes out is always the *current* span, never the one that came in:
//! else the spans of this process would be missing in the chain.

use std::sync::atomic::{AtomicBool, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::{SpanContext, TraceContextExt, TraceFlags},
};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::variables::Variables;

const TRACEPARENT: &str = "traceparent";

/// Which headers carry something in and out. What is stored with an order has its
/// `traceparent` in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Formats {
    trace_context: bool,
    baggage: bool,
}

static TRACE_CONTEXT: AtomicBool = AtomicBool::new(true);
static BAGGAGE: AtomicBool = AtomicBool::new(true);

impl Formats {
    /// `OTEL_PROPAGATORS` is a list. Formats of other systems are not spoken.
    pub(crate) fn read(variables: &Variables) -> Self {
        let name = "OTEL_PROPAGATORS";
        let list = variables.text(name);
        let list = list.as_deref().unwrap_or("tracecontext,baggage");
        let mut formats = Self {
            trace_context: false,
            baggage: false,
        };
        for format in list.split(',').map(str::trim) {
            match format {
                "tracecontext" => formats.trace_context = true,
                "baggage" => formats.baggage = true,
                "none" => {}
                other => variables.refuse(name, other, "the others of the list"),
            }
        }
        formats
    }

    fn in_use() -> Self {
        Self {
            trace_context: TRACE_CONTEXT.load(Ordering::Relaxed),
            baggage: BAGGAGE.load(Ordering::Relaxed),
        }
    }

    fn inject(self, context: &Context, carrier: &mut dyn Injector) {
        if self.trace_context {
            TraceContextPropagator::new().inject_context(context, carrier);
        }
        if self.baggage {
            BaggagePropagator::new().inject_context(context, carrier);
        }
    }

    fn extract(self, carrier: &dyn Extractor) -> Context {
        let mut context = Context::new();
        if self.trace_context {
            context = TraceContextPropagator::new().extract_with_context(&context, carrier);
        }
        if self.baggage {
            context = BaggagePropagator::new().extract_with_context(&context, carrier);
        }
        context
    }
}

/// For the whole process.
pub(crate) fn use_formats(formats: Formats) {
    TRACE_CONTEXT.store(formats.trace_context, Ordering::Relaxed);
    BAGGAGE.store(formats.baggage, Ordering::Relaxed);
}

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
    Formats::in_use().inject(&context, &mut Headers(headers));
}

/// Makes `span` a child of the caller's span. Call it before the span is
/// entered: then it has begun, and its parent is fixed. Without a valid
/// `traceparent` the span stays as it is.
pub fn set_parent(span: &Span, headers: &HeaderMap) {
    adopt(span, Formats::in_use().extract(&HeadersRef(headers)));
}

/// The same from a `traceparent` that was stored, in an outbox for instance.
pub fn set_parent_from(span: &Span, traceparent: &str) {
    let propagator = TraceContextPropagator::new();
    let stored = Stored(traceparent);
    adopt(
        span,
        propagator.extract_with_context(&Context::new(), &stored),
    );
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

fn adopt(span: &Span, context: Context) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_formats_that_are_asked_for_are_read() {
        let read = |list| {
            let variables = Variables::of(&[("OTEL_PROPAGATORS", list)]);
            let formats = Formats::read(&variables);
            (
                formats.trace_context,
                formats.baggage,
                variables.wrong().len(),
            )
        };
        assert_eq!(read(""), (true, true, 0));
        assert_eq!(read("tracecontext"), (true, false, 0));
        assert_eq!(read("baggage, tracecontext"), (true, true, 0));
        assert_eq!(read("none"), (false, false, 0));
        assert_eq!(read("b3,tracecontext"), (true, false, 1));
    }

    #[test]
    fn a_format_that_is_off_is_neither_read_nor_written() {
        let mut headers = HeaderMap::new();
        let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        headers.insert(TRACEPARENT, HeaderValue::from_static(traceparent));
        let with = |trace_context| Formats {
            trace_context,
            baggage: false,
        };
        let off = with(false).extract(&HeadersRef(&headers));
        assert!(!off.span().span_context().is_valid());
        let on = with(true).extract(&HeadersRef(&headers));
        assert!(on.span().span_context().is_valid());
        let mut written = HeaderMap::new();
        with(false).inject(&on, &mut Headers(&mut written));
        assert!(written.is_empty());
        with(true).inject(&on, &mut Headers(&mut written));
        assert_eq!(written[TRACEPARENT], traceparent);
    }
}
