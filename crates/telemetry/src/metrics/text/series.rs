//! The series of a family: what the SDK has collected, as lines without names.

use opentelemetry::KeyValue;
use opentelemetry_sdk::metrics::data::{Gauge, Histogram, HistogramDataPoint, Sum};

use super::{
    names,
    write::{self, Label, Line, Series},
};
use crate::metrics::exemplars;

/// What the SDK adds up.
pub(super) trait Number: Copy {
    fn text(self) -> String;
}

impl Number for u64 {
    fn text(self) -> String {
        self.to_string()
    }
}

impl Number for i64 {
    fn text(self) -> String {
        self.to_string()
    }
}

impl Number for f64 {
    fn text(self) -> String {
        if self.is_nan() {
            "NaN".to_owned()
        } else if self.is_infinite() {
            if self > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
        } else {
            self.to_string()
        }
    }
}

/// A series of one line.
pub(super) fn one(labels: Vec<Label>, value: String) -> Series {
    let line = Line {
        suffix: "",
        bound: None,
        value,
        exemplar: None,
    };
    Series {
        labels,
        lines: vec![line],
    }
}

pub(super) fn of_gauge<T: Number>(gauge: &Gauge<T>) -> Vec<Series> {
    let points = gauge.data_points();
    points
        .map(|point| one(labels(point.attributes()), point.value().text()))
        .collect()
}

pub(super) fn of_sum<T: Number>(sum: &Sum<T>) -> Vec<Series> {
    let points = sum.data_points();
    points
        .map(|point| one(labels(point.attributes()), point.value().text()))
        .collect()
}

pub(super) fn of_histogram<T: Number>(name: &str, histogram: &Histogram<T>) -> Vec<Series> {
    let points = histogram.data_points();
    points.map(|point| of_point(name, point)).collect()
}

/// Buckets add up: each counts what is at most its bound.
fn of_point<T: Number>(name: &str, point: &HistogramDataPoint<T>) -> Series {
    let attributes: Vec<&KeyValue> = point.attributes().collect();
    let mut exemplars = exemplars::find(name, &attributes).map(Vec::from);
    let mut lines = Vec::new();
    let mut below = 0;
    let bounds = point.bounds().map(Some).chain([None]);
    for (index, (bound, count)) in bounds.zip(point.bucket_counts()).enumerate() {
        below += count;
        lines.push(Line {
            suffix: "_bucket",
            // With a point, also if it is whole: so both formats and all
            // readers mean the same series.
            bound: Some(bound.map_or("+Inf".to_owned(), |bound| format!("{bound:?}"))),
            value: below.text(),
            exemplar: exemplars
                .as_mut()
                .and_then(|all| all.get_mut(index)?.take()),
        });
    }
    for (suffix, value) in [
        ("_sum", point.sum().text()),
        ("_count", point.count().text()),
    ] {
        lines.push(Line {
            suffix,
            bound: None,
            value,
            exemplar: None,
        });
    }
    let labels = labels(attributes.into_iter());
    Series { labels, lines }
}

fn labels<'a>(attributes: impl Iterator<Item = &'a KeyValue>) -> Vec<Label> {
    write::sorted(attributes.map(|attribute| Label {
        name: names::sanitized(attribute.key.as_str()),
        value: attribute.value.as_str().into_owned(),
    }))
}
