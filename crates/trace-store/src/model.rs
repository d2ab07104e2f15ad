//! What is kept, in plain words.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{SpanId, TraceId};

/// Values of other kinds as text: `true`, `12`, `[a, b]`, bytes in hex.
pub type Attributes = BTreeMap<String, String>;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Span {
    pub trace_id: TraceId,
    pub span_id: SpanId,
    pub parent_span_id: Option<SpanId>,
    pub name: String,
    pub kind: Kind,
    /// `service.name` of the resource.
    pub service: String,
    pub attributes: Attributes,
    pub links: Vec<Link>,
    pub events: Vec<Event>,
    /// Nanoseconds since 1970.
    pub start: u64,
    /// Nanoseconds since 1970.
    pub end: u64,
    pub status: Status,
    /// Which library made it.
    pub scope: String,
    pub trace_state: String,
    /// Everything that the process said about itself; the same for all that
    /// it sent, so it is left out of JSON.
    #[serde(skip)]
    pub resource: Arc<Attributes>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Unspecified,
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Link {
    pub trace_id: TraceId,
    pub span_id: SpanId,
    pub trace_state: String,
    pub attributes: Attributes,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub name: String,
    /// Nanoseconds since 1970.
    pub time: u64,
    pub attributes: Attributes,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub code: StatusCode,
    /// Only of errors.
    pub message: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusCode {
    #[default]
    Unset,
    Ok,
    Error,
}

/// A log record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Log {
    pub service: String,
    /// Nanoseconds since 1970; when it was seen, where the sender did not say.
    pub time: u64,
    /// `INFO`, …
    pub severity: String,
    pub body: String,
    pub event_name: String,
    /// Which library wrote it.
    pub scope: String,
    pub attributes: Attributes,
    pub trace_id: Option<TraceId>,
    pub span_id: Option<SpanId>,
    #[serde(skip)]
    pub resource: Arc<Attributes>,
}

/// What an entry of a map or a list costs beside its text.
const ENTRY_BYTES: usize = 64;

impl Span {
    pub fn is_error(&self) -> bool {
        self.status.code == StatusCode::Error
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// Roughly what it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        let events = self
            .events
            .iter()
            .map(|event| ENTRY_BYTES + event.name.len() + bytes_of(&event.attributes));
        let links = self
            .links
            .iter()
            .map(|link| ENTRY_BYTES + link.trace_state.len() + bytes_of(&link.attributes));
        let texts = [
            &self.name,
            &self.service,
            &self.status.message,
            &self.scope,
            &self.trace_state,
        ];
        size_of::<Self>()
            + ENTRY_BYTES
            + texts.map(String::len).iter().sum::<usize>()
            + bytes_of(&self.attributes)
            + events.sum::<usize>()
            + links.sum::<usize>()
    }
}

impl Log {
    /// Roughly what it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        let texts = [&self.service, &self.severity, &self.body, &self.scope];
        size_of::<Self>()
            + texts.map(String::len).iter().sum::<usize>()
            + bytes_of(&self.attributes)
    }
}

fn bytes_of(attributes: &Attributes) -> usize {
    let entries = attributes.iter();
    entries
        .map(|(key, value)| ENTRY_BYTES + key.len() + value.len())
        .sum()
}
