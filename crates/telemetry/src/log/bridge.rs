//! The lines once more, as records of OpenTelemetry.

use std::time::SystemTime;

use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry_sdk::logs::{SdkLogger, SdkLoggerProvider};
use serde_json::Value;
use tracing::Level;

use super::Line;
use crate::{filter, limits::Limits};

/// What the transport and the SDK say stays on stderr: sending it would make them
/// say more.
pub(crate) struct Bridge {
    logger: SdkLogger,
    limits: Limits,
}

impl Bridge {
    pub(crate) fn new(provider: &SdkLoggerProvider, limits: Limits) -> Self {
        let logger = provider.logger("cartwright");
        Self { logger, limits }
    }

    pub(super) fn send(&self, line: &Line<'_>) {
        let target = line.metadata.target();
        if filter::is_transport(target) {
            return;
        }
        let level = *line.metadata.level();
        let mut record = self.logger.create_log_record();
        record.set_timestamp(SystemTime::now());
        record.set_severity_number(severity(level));
        record.set_severity_text(level.as_str());
        record.set_target(target.to_owned());
        record.set_body(self.cut(&line.message));
        let attributes = line.fields.iter().take(self.limits.record_attributes);
        record.add_attributes(attributes.map(|(name, value)| (name.clone(), self.value(value))));
        if line.context.is_valid() {
            let flags = Some(line.context.trace_flags());
            record.set_trace_context(line.context.trace_id(), line.context.span_id(), flags);
        }
        self.logger.emit(record);
    }

    fn cut(&self, text: &str) -> AnyValue {
        let mut text = text.to_owned();
        self.limits.record_values.cut(&mut text);
        text.into()
    }

    fn value(&self, value: &Value) -> AnyValue {
        match value {
            Value::Bool(value) => (*value).into(),
            Value::Number(number) => match number.as_i64() {
                Some(whole) => whole.into(),
                None => number.as_f64().unwrap_or(f64::NAN).into(),
            },
            Value::String(text) => self.cut(text),
            other => self.cut(&other.to_string()),
        }
    }
}

fn severity(level: Level) -> Severity {
    match level {
        Level::ERROR => Severity::Error,
        Level::WARN => Severity::Warn,
        Level::INFO => Severity::Info,
        Level::DEBUG => Severity::Debug,
        Level::TRACE => Severity::Trace,
    }
}
