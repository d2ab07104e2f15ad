//! Short lines for people: time, level, message, fields, and the trace id last.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tracing::Level;

use super::Line;

const DIM: &str = "2";

pub(super) fn render(line: &Line<'_>, now: DateTime<Utc>, colours: bool) -> String {
    let paint = |code: &str, text: &str| {
        if colours {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    };
    let level = *line.metadata.level();
    let mut out = paint(DIM, &now.format("%H:%M:%S%.3f").to_string());
    let _ = write!(
        out,
        " {} {} {}",
        paint(colour(level), &format!("{:>5}", level.as_str())),
        paint(DIM, &format!("{:<24}", line.metadata.target())),
        line.message,
    );
    // A backtrace is read as a block, below the line.
    let is_block = |value: &Value| value.as_str().is_some_and(|text| text.contains('\n'));
    for (name, value) in line.fields.iter().filter(|field| !is_block(field.1)) {
        let _ = write!(out, " {}{}", paint(DIM, &format!("{name}=")), plain(value));
    }
    if line.context.is_valid() {
        let trace = format!("trace={}", line.context.trace_id());
        let _ = write!(out, " {}", paint(DIM, &trace));
    }
    for block in line.fields.iter().filter_map(|field| field.1.as_str()) {
        if block.contains('\n') {
            let _ = write!(out, "\n{}", block.trim_end());
        }
    }
    out
}

/// Without quotes where none are needed.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if !text.is_empty() && !text.contains(char::is_whitespace) => {
            text.clone()
        }
        other => other.to_string(),
    }
}

fn colour(level: Level) -> &'static str {
    match level {
        Level::ERROR => "31",
        Level::WARN => "33",
        Level::INFO => "32",
        Level::DEBUG => "34",
        Level::TRACE => "35",
    }
}
