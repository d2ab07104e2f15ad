//! One JSON object per line. Fields follow the fixed head, flat.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use super::Line;

pub(super) fn render(line: &Line<'_>, now: DateTime<Utc>) -> String {
    let mut out = Object::new();
    out.text(
        "timestamp",
        &now.to_rfc3339_opts(SecondsFormat::Micros, true),
    );
    out.text("level", line.metadata.level().as_str());
    out.text("service", line.service);
    out.text("target", line.metadata.target());
    out.text("message", &line.message);
    if let Some(span) = line.span {
        out.text("span", span);
    }
    if line.context.is_valid() {
        out.text("trace_id", &line.context.trace_id().to_string());
        out.text("span_id", &line.context.span_id().to_string());
    }
    for (name, value) in line.fields.iter() {
        out.value(name, value);
    }
    out.end()
}

/// Written piece by piece, because a map of serde_json would sort the head.
struct Object(String);

impl Object {
    fn new() -> Self {
        Self("{".to_owned())
    }

    fn text(&mut self, name: &str, text: &str) {
        self.value(name, &Value::from(text));
    }

    fn value(&mut self, name: &str, value: &Value) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&Value::from(name).to_string());
        self.0.push(':');
        self.0.push_str(&value.to_string());
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}
