//! Writes a family, line by line.

use std::{
    borrow::Cow,
    fmt::Write,
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    Format,
    names::{self, Kind},
    series::Number,
};
use crate::metrics::exemplars::Exemplar;

pub(super) struct Family {
    /// Without the `_total` of a counter and the `_info` of an info.
    pub(super) name: String,
    unit: Option<String>,
    help: String,
    kind: Kind,
    pub(super) series: Vec<Series>,
}

pub(super) struct Series {
    pub(super) labels: Vec<Label>,
    pub(super) lines: Vec<Line>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Label {
    pub(super) name: String,
    pub(super) value: String,
}

pub(super) struct Line {
    /// After the name of the family.
    pub(super) suffix: &'static str,
    /// The value of the label `le`.
    pub(super) bound: Option<String>,
    pub(super) value: String,
    pub(super) exemplar: Option<Exemplar>,
}

/// By name; of two that are written alike the first one stays.
pub(super) fn sorted(labels: impl Iterator<Item = Label>) -> Vec<Label> {
    let mut labels: Vec<Label> = labels.collect();
    labels.sort();
    labels.dedup_by(|one, other| one.name == other.name);
    labels
}

impl Family {
    pub(super) fn new(name: &str, unit: &str, help: &str, kind: Kind) -> Self {
        let (name, unit) = names::family(name, unit, kind);
        Self {
            name,
            unit,
            help: help.to_owned(),
            kind,
            series: Vec::new(),
        }
    }

    pub(super) fn write(&self, format: Format, out: &mut String) {
        self.write_head(format, out);
        for series in &self.series {
            for line in &series.lines {
                self.write_line(format, &series.labels, line, out);
            }
        }
    }

    /// OpenMetrics names the family, Prometheus the series.
    fn write_head(&self, format: Format, out: &mut String) {
        let (suffix, kind) = match (format, self.kind) {
            (Format::OpenMetrics, Kind::Info) => ("", "info"),
            (Format::Prometheus, Kind::Info) => ("_info", "gauge"),
            (Format::Prometheus, Kind::Counter) => ("_total", "counter"),
            (_, Kind::Counter) => ("", "counter"),
            (_, Kind::Gauge) => ("", "gauge"),
            (_, Kind::Histogram) => ("", "histogram"),
        };
        let name = format!("{}{suffix}", self.name);
        let help = self.help.replace('\\', "\\\\").replace('\n', "\\n");
        let help = match format {
            Format::Prometheus => help,
            Format::OpenMetrics => help.replace('"', "\\\""),
        };
        let _ = writeln!(out, "# HELP {name} {help}");
        let _ = writeln!(out, "# TYPE {name} {kind}");
        if let (Format::OpenMetrics, Some(unit)) = (format, &self.unit) {
            let _ = writeln!(out, "# UNIT {name} {unit}");
        }
    }

    fn write_line(&self, format: Format, labels: &[Label], line: &Line, out: &mut String) {
        out.push_str(&self.name);
        out.push_str(match self.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => line.suffix,
        });
        let bound = line.bound.as_deref().map(|bound| ("le", bound));
        let labels = labels.iter().map(|label| (&*label.name, &*label.value));
        write_labels(labels.chain(bound), out);
        let _ = write!(out, " {}", line.value);
        if let (Format::OpenMetrics, Some(exemplar)) = (format, &line.exemplar) {
            write_exemplar(exemplar, out);
        }
        out.push('\n');
    }
}

fn write_labels<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>, out: &mut String) {
    let mut separator = '{';
    for (name, value) in labels {
        let _ = write!(out, "{separator}{name}=\"{}\"", escaped(value));
        separator = ',';
    }
    if separator == ',' {
        out.push('}');
    }
}

fn escaped(value: &str) -> Cow<'_, str> {
    if !value.contains(['\\', '"', '\n']) {
        return Cow::Borrowed(value);
    }
    let value = value.replace('\\', "\\\\").replace('"', "\\\"");
    Cow::Owned(value.replace('\n', "\\n"))
}

fn write_exemplar(exemplar: &Exemplar, out: &mut String) {
    let span = &exemplar.span;
    out.push_str(" # {");
    if span.is_valid() {
        let (trace, span) = (span.trace_id(), span.span_id());
        let _ = write!(out, "trace_id=\"{trace}\",span_id=\"{span}\"");
    }
    let at = seconds(exemplar.at);
    let _ = write!(out, "}} {} {at:.3}", exemplar.value.text());
}

fn seconds(at: SystemTime) -> f64 {
    at.duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}
