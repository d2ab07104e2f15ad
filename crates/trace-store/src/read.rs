//! From the messages of OTLP to what is kept, cut to size.

use std::sync::Arc;

use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value},
    logs::v1::LogRecord,
    resource::v1::Resource,
    trace::v1::{self as otlp, span::SpanKind, status::StatusCode as OtlpCode},
};

use crate::{
    Attributes, Event, Id, Kind, Link, Log, Span, Status, StatusCode,
    bounds::{ATTRIBUTES_MAX, EVENTS_MAX, LINKS_MAX, NAME_BYTES_MAX},
};

/// Reads, and counts what it cut.
#[derive(Debug)]
pub(crate) struct Reader {
    value_bytes_max: usize,
    pub(crate) cut: u64,
}

/// Who sent what is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Source {
    pub(crate) service: String,
    pub(crate) scope: String,
    pub(crate) resource: Arc<Attributes>,
}

impl Reader {
    pub(crate) fn new(value_bytes_max: usize) -> Self {
        let cut = 0;
        Self {
            value_bytes_max,
            cut,
        }
    }

    pub(crate) fn resource(&mut self, resource: Option<Resource>) -> Source {
        let attributes = resource.map(|resource| resource.attributes);
        let attributes = self.attributes(attributes.unwrap_or_default());
        let service = attributes.get("service.name").cloned();
        Source {
            service: service.unwrap_or_else(|| "unknown_service".to_owned()),
            scope: String::new(),
            resource: Arc::new(attributes),
        }
    }

    pub(crate) fn scope(&mut self, source: &Source, scope: Option<InstrumentationScope>) -> Source {
        Source {
            scope: self.name(scope.map(|scope| scope.name).unwrap_or_default()),
            ..source.clone()
        }
    }

    /// `None` without valid ids.
    pub(crate) fn span(&mut self, source: &Source, span: otlp::Span) -> Option<Span> {
        Some(Span {
            trace_id: Id::from_bytes(&span.trace_id)?,
            span_id: Id::from_bytes(&span.span_id)?,
            parent_span_id: Id::from_bytes(&span.parent_span_id),
            kind: kind(span.kind()),
            service: source.service.clone(),
            attributes: self.attributes(span.attributes),
            links: self.links(span.links),
            events: self.events(span.events),
            start: span.start_time_unix_nano,
            end: span.end_time_unix_nano.max(span.start_time_unix_nano),
            status: self.status(span.status.unwrap_or_default()),
            scope: source.scope.clone(),
            name: self.name(span.name),
            trace_state: self.value(span.trace_state),
            resource: source.resource.clone(),
        })
    }

    pub(crate) fn log(&mut self, source: &Source, record: LogRecord) -> Log {
        Log {
            service: source.service.clone(),
            time: match record.time_unix_nano {
                0 => record.observed_time_unix_nano,
                time => time,
            },
            severity: self.name(record.severity_text),
            body: self.value(record.body.map(text).unwrap_or_default()),
            event_name: self.name(record.event_name),
            scope: source.scope.clone(),
            attributes: self.attributes(record.attributes),
            trace_id: Id::from_bytes(&record.trace_id),
            span_id: Id::from_bytes(&record.span_id),
            resource: source.resource.clone(),
        }
    }

    pub(crate) fn attributes(&mut self, attributes: Vec<KeyValue>) -> Attributes {
        let some = self.first(attributes, ATTRIBUTES_MAX);
        let entries = some.map(|attribute| {
            let value = attribute.value.map(text).unwrap_or_default();
            (self.name(attribute.key), self.value(value))
        });
        entries.collect()
    }

    pub(crate) fn name(&mut self, name: String) -> String {
        self.shortened(name, NAME_BYTES_MAX)
    }

    fn value(&mut self, value: String) -> String {
        self.shortened(value, self.value_bytes_max)
    }

    fn links(&mut self, links: Vec<otlp::span::Link>) -> Vec<Link> {
        let some = self.first(links, LINKS_MAX);
        let links = some.filter_map(|link| {
            Some(Link {
                trace_id: Id::from_bytes(&link.trace_id)?,
                span_id: Id::from_bytes(&link.span_id)?,
                trace_state: self.value(link.trace_state),
                attributes: self.attributes(link.attributes),
            })
        });
        links.collect()
    }

    fn events(&mut self, events: Vec<otlp::span::Event>) -> Vec<Event> {
        let some = self.first(events, EVENTS_MAX);
        let events = some.map(|event| Event {
            name: self.name(event.name),
            time: event.time_unix_nano,
            attributes: self.attributes(event.attributes),
        });
        events.collect()
    }

    fn status(&mut self, status: otlp::Status) -> Status {
        Status {
            code: match status.code() {
                OtlpCode::Unset => StatusCode::Unset,
                OtlpCode::Ok => StatusCode::Ok,
                OtlpCode::Error => StatusCode::Error,
            },
            message: self.value(status.message),
        }
    }

    fn first<T>(&mut self, all: Vec<T>, most: usize) -> std::iter::Take<std::vec::IntoIter<T>> {
        self.cut += all.len().saturating_sub(most) as u64;
        all.into_iter().take(most)
    }

    fn shortened(&mut self, mut text: String, most: usize) -> String {
        if text.len() > most {
            self.cut += 1;
            text.truncate(text.floor_char_boundary(most));
            text.push('…');
            text.shrink_to_fit();
        }
        text
    }
}

fn kind(kind: SpanKind) -> Kind {
    match kind {
        SpanKind::Unspecified => Kind::Unspecified,
        SpanKind::Internal => Kind::Internal,
        SpanKind::Server => Kind::Server,
        SpanKind::Client => Kind::Client,
        SpanKind::Producer => Kind::Producer,
        SpanKind::Consumer => Kind::Consumer,
    }
}

/// A value as a person would write it.
fn text(value: AnyValue) -> String {
    match value.value {
        None => String::new(),
        Some(Value::StringValue(text)) => text,
        Some(Value::BoolValue(value)) => value.to_string(),
        Some(Value::IntValue(value)) => value.to_string(),
        Some(Value::DoubleValue(value)) => value.to_string(),
        Some(Value::BytesValue(bytes)) => hex::encode(bytes),
        Some(Value::StringValueStrindex(index)) => format!("#{index}"),
        Some(Value::ArrayValue(array)) => {
            let values = array.values.into_iter().map(text);
            format!("[{}]", values.collect::<Vec<_>>().join(", "))
        }
        Some(Value::KvlistValue(list)) => {
            let entries = list.values.into_iter().map(|entry| {
                let value = entry.value.map(text).unwrap_or_default();
                format!("{}={value}", entry.key)
            });
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}
