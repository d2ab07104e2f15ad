//! The fields of a span or an event, as JSON values.

use std::{error::Error, fmt};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};

const MESSAGE: &str = "message";

/// Names of the line itself: a field of that name gets a prefix.
const RESERVED: [&str; 7] = [
    "timestamp",
    "level",
    "service",
    "target",
    "span",
    "trace_id",
    "span_id",
];

#[derive(Default)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn extend(&mut self, other: &Self) {
        for (name, value) in &other.0 {
            if name != MESSAGE {
                self.0.insert(name.clone(), value.clone());
            }
        }
    }

    pub(super) fn take_message(&mut self) -> String {
        match self.0.remove(MESSAGE) {
            Some(Value::String(message)) => message,
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter()
    }

    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        let name = field.name();
        // Read by the layer of traces, and by the bridge from `log`.
        if name.starts_with("otel.") || name.starts_with("log.") {
            return;
        }
        let name = match name.strip_prefix("r#").unwrap_or(name) {
            name if RESERVED.contains(&name) => format!("field.{name}"),
            name => name.to_owned(),
        };
        self.0.insert(name, value.into());
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    /// The whole chain of causes: the log is the only place that gets it.
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        self.put(field, text);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}
