//! The metrics as text, for those who scrape: Prometheus' own format, and
//! OpenMetrics, which has units and exemplars too.
//!
//! Written from what the SDK has collected. There is one scope, so its name is
//! no label; the resource is the one series of `target_info`.

mod accept;
mod names;
mod series;
mod write;

use std::collections::BTreeMap;

use opentelemetry_sdk::metrics::data::{AggregatedMetrics, Metric, MetricData, ResourceMetrics};

use super::installed;
use names::Kind;
use write::{Family, Label};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `text/plain; version=0.0.4`
    Prometheus,
    /// `application/openmetrics-text; version=1.0.0`
    OpenMetrics,
}

impl Format {
    /// The one that a header `Accept` likes better; Prometheus' own if in doubt.
    pub fn accepted(accept: &str) -> Self {
        accept::best(accept)
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// All metrics of this process at this moment. Nothing but the end mark where no
/// SDK is installed.
pub fn text(format: Format) -> String {
    let mut out = String::new();
    if let Some(metrics) = installed::resource_metrics() {
        for family in families(&metrics).values() {
            family.write(format, &mut out);
        }
    }
    if format == Format::OpenMetrics {
        out.push_str("# EOF\n");
    }
    out
}

/// By name: a family may stand in the text once only, so of two instruments that
/// get the same name there the first one counts.
fn families(metrics: &ResourceMetrics) -> BTreeMap<String, Family> {
    let mut families = BTreeMap::new();
    let target = target_info(metrics);
    families.insert(target.name.clone(), target);
    for metric in metrics.scope_metrics().flat_map(|scope| scope.metrics()) {
        if let Some(family) = family(metric) {
            families.entry(family.name.clone()).or_insert(family);
        }
    }
    families
}

fn target_info(metrics: &ResourceMetrics) -> Family {
    let resource = metrics.resource().iter();
    let labels = write::sorted(resource.map(|(key, value)| Label {
        name: names::sanitized(key.as_str()),
        value: value.as_str().into_owned(),
    }));
    let mut family = Family::new("target", "", "What these metrics are of.", Kind::Info);
    family.series.push(series::one(labels, "1".to_owned()));
    family
}

/// `None` for what no part of the shop makes.
fn family(metric: &Metric) -> Option<Family> {
    match metric.data() {
        AggregatedMetrics::F64(data) => with_series(metric, data),
        AggregatedMetrics::U64(data) => with_series(metric, data),
        AggregatedMetrics::I64(data) => with_series(metric, data),
    }
}

fn with_series<T: series::Number>(metric: &Metric, data: &MetricData<T>) -> Option<Family> {
    let (kind, series) = match data {
        MetricData::Gauge(gauge) => (Kind::Gauge, series::of_gauge(gauge)),
        MetricData::Sum(sum) if sum.is_monotonic() => (Kind::Counter, series::of_sum(sum)),
        MetricData::Sum(sum) => (Kind::Gauge, series::of_sum(sum)),
        MetricData::Histogram(histogram) => {
            let series = series::of_histogram(metric.name(), histogram);
            (Kind::Histogram, series)
        }
        MetricData::ExponentialHistogram(_) => return None,
    };
    let (name, unit) = (metric.name(), metric.unit());
    let mut family = Family::new(name, unit, metric.description(), kind);
    family.series = series;
    Some(family)
}
