//! The latest value of each series: enough to tell which metrics there are, and
//! whether they move.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Metric as OtlpMetric, metric::Data, number_data_point::Value,
};
use serde::{Deserialize, Serialize};

use crate::{Attributes, read::Reader};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    pub name: String,
    pub kind: MetricKind,
    pub unit: String,
    pub description: String,
    pub series: Vec<Series>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    Gauge,
    /// A sum that never falls.
    Counter,
    UpDownCounter,
    Histogram,
    Summary,
}

/// One set of labels of one service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    pub service: String,
    pub attributes: Attributes,
    /// The latest; of a histogram or a summary the number of measurements.
    pub value: f64,
    /// How often another value came than the one before.
    pub changes: u64,
}

impl Metric {
    /// True when a value has changed, or a counter has counted before its
    /// first export.
    pub fn moved(&self) -> bool {
        let counts = matches!(self.kind, MetricKind::Counter | MetricKind::Histogram);
        let mut series = self.series.iter();
        series.any(|one| one.changes > 0 || (counts && one.value > 0.0))
    }

    /// The sum over the series that have all these labels.
    pub fn total(&self, labels: &[(&str, &str)]) -> f64 {
        let series = self.series.iter().filter(|one| {
            let mut labels = labels.iter();
            labels.all(|(key, value)| one.attributes.get(*key).is_some_and(|got| got == value))
        });
        series.map(|one| one.value).sum()
    }
}

type Labels = (String, Attributes);

#[derive(Debug)]
struct Family {
    kind: MetricKind,
    unit: String,
    description: String,
    series: BTreeMap<Labels, Latest>,
}

#[derive(Debug, Clone, Copy)]
struct Latest {
    value: f64,
    changes: u64,
}

/// A point as it was sent.
struct Point {
    attributes: Attributes,
    value: f64,
    /// To be added to what was sent before.
    is_delta: bool,
}

#[derive(Debug)]
pub(crate) struct Metrics {
    series_max: usize,
    series: usize,
    families: BTreeMap<String, Family>,
    pub(crate) dropped: u64,
}

impl Metrics {
    pub(crate) fn new(series_max: usize) -> Self {
        Self {
            series_max,
            series: 0,
            families: BTreeMap::new(),
            dropped: 0,
        }
    }

    pub(crate) fn add(&mut self, reader: &mut Reader, service: &str, metric: OtlpMetric) {
        let Some(data) = metric.data else { return };
        let (kind, points) = points(reader, data);
        let name = reader.name(metric.name);
        if !self.families.contains_key(&name) && self.series >= self.series_max {
            self.dropped += points.len() as u64;
            return;
        }
        let family = self.families.entry(name).or_insert_with(|| Family {
            kind,
            unit: reader.name(metric.unit),
            description: reader.name(metric.description),
            series: BTreeMap::new(),
        });
        for point in points {
            let labels = (service.to_owned(), point.attributes);
            if let Some(latest) = family.series.get_mut(&labels) {
                latest.take(point.value, point.is_delta);
            } else if self.series < self.series_max {
                self.series += 1;
                let (value, changes) = (point.value, 0);
                family.series.insert(labels, Latest { value, changes });
            } else {
                self.dropped += 1;
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.families.len()
    }

    pub(crate) fn all(&self) -> Vec<Metric> {
        let families = self.families.iter();
        let metrics = families.map(|(name, family)| Metric {
            name: name.clone(),
            kind: family.kind,
            unit: family.unit.clone(),
            description: family.description.clone(),
            series: family.series(),
        });
        metrics.collect()
    }
}

impl Family {
    fn series(&self) -> Vec<Series> {
        let all = self.series.iter();
        let all = all.map(|((service, attributes), latest)| Series {
            service: service.clone(),
            attributes: attributes.clone(),
            value: latest.value,
            changes: latest.changes,
        });
        all.collect()
    }
}

impl Latest {
    fn take(&mut self, value: f64, is_delta: bool) {
        let before = self.value;
        self.value = if is_delta { before + value } else { value };
        self.changes += u64::from(self.value.to_bits() != before.to_bits());
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts beyond 2^53 are far")]
fn points(reader: &mut Reader, data: Data) -> (MetricKind, Vec<Point>) {
    let delta = AggregationTemporality::Delta as i32;
    let number = |value: Option<Value>| match value {
        Some(Value::AsDouble(value)) => value,
        Some(Value::AsInt(value)) => value as f64,
        None => 0.0,
    };
    let mut point = |attributes, value, temporality| Point {
        attributes: reader.attributes(attributes),
        value,
        is_delta: temporality == delta,
    };
    match data {
        Data::Gauge(gauge) => {
            let points = gauge.data_points.into_iter();
            let points = points.map(|one| point(one.attributes, number(one.value), 0));
            (MetricKind::Gauge, points.collect())
        }
        Data::Sum(sum) => {
            let how = sum.aggregation_temporality;
            let points = sum.data_points.into_iter();
            let points = points.map(|one| point(one.attributes, number(one.value), how));
            let kind = match sum.is_monotonic {
                true => MetricKind::Counter,
                false => MetricKind::UpDownCounter,
            };
            (kind, points.collect())
        }
        Data::Histogram(histogram) => {
            let how = histogram.aggregation_temporality;
            let points = histogram.data_points.into_iter();
            let points = points.map(|one| point(one.attributes, one.count as f64, how));
            (MetricKind::Histogram, points.collect())
        }
        Data::ExponentialHistogram(histogram) => {
            let how = histogram.aggregation_temporality;
            let points = histogram.data_points.into_iter();
            let points = points.map(|one| point(one.attributes, one.count as f64, how));
            (MetricKind::Histogram, points.collect())
        }
        Data::Summary(summary) => {
            let points = summary.data_points.into_iter();
            let points = points.map(|one| point(one.attributes, one.count as f64, 0));
            (MetricKind::Summary, points.collect())
        }
    }
}
