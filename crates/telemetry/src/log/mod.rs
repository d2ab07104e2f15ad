//! Writes each event as one line, with the fields of its spans and the ids of
//! its trace.

mod bridge;
mod fields;
mod json;
mod pretty;

use std::io::Write;

use opentelemetry::trace::{SpanContext, TraceContextExt};
use tracing::{
    Event, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_log::NormalizeEvent;
use tracing_subscriber::{
    Layer,
    fmt::{MakeWriter, writer::BoxMakeWriter},
    layer::Context,
    registry::LookupSpan,
};

use crate::LogFormat;
pub(crate) use bridge::Bridge;
use fields::Fields;

pub(crate) struct LogLayer {
    pub(crate) format: LogFormat,
    pub(crate) service: &'static str,
    pub(crate) writer: BoxMakeWriter,
    pub(crate) colours: bool,
    /// To a collector too, if there is one.
    pub(crate) bridge: Option<Bridge>,
}

/// What both formats print.
struct Line<'a> {
    service: &'static str,
    metadata: &'a Metadata<'a>,
    span: Option<&'static str>,
    context: SpanContext,
    message: String,
    fields: Fields,
}

impl LogLayer {
    fn write(&self, line: &Line<'_>) {
        let now = chrono::Utc::now();
        let mut text = match self.format {
            LogFormat::Json => json::render(line, now),
            LogFormat::Pretty => pretty::render(line, now, self.colours),
        };
        text.push('\n');
        // One write per line, so that lines of threads do not mix. A log that
        // cannot be written has nowhere to complain to.
        let _ = self.writer.make_writer().write_all(text.as_bytes());
    }
}

impl<S> Layer<S> for LogLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        let Some(span) = ctx.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        span.extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        let Some(span) = ctx.span(id) else { return };
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in ctx
            .event_scope(event)
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .iter()
            .rev()
        {
            if let Some(of_span) = span.extensions().get::<Fields>() {
                fields.extend(of_span);
            }
        }
        event.record(&mut fields);
        let normalized = event.normalized_metadata();
        let line = Line {
            service: self.service,
            metadata: normalized.as_ref().unwrap_or_else(|| event.metadata()),
            span: ctx.event_span(event).map(|span| span.name()),
            // Entering a span makes its OpenTelemetry context the current one.
            context: opentelemetry::Context::current()
                .span()
                .span_context()
                .clone(),
            message: fields.take_message(),
            fields,
        };
        self.write(&line);
        if let Some(bridge) = &self.bridge {
            bridge.send(&line);
        }
    }
}
