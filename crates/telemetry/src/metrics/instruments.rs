//! Counters, histograms and gauges that may be made before the SDK is there.

use std::sync::{Arc, OnceLock};

use opentelemetry::{KeyValue, metrics};

use super::{
    exemplars::{self, Exemplars},
    installed,
};

/// Only ever grows.
#[derive(Debug)]
pub struct Counter(Bound<metrics::Counter<u64>>);

/// The distribution of what is recorded, by buckets.
#[derive(Debug)]
pub struct Histogram {
    bound: Bound<metrics::Histogram<f64>>,
    bounds: &'static [f64],
    exemplars: Arc<Exemplars>,
}

/// The last value that was set.
#[derive(Debug)]
pub struct Gauge(Bound<metrics::Gauge<f64>>);

/// `name` has dots and no unit: `orders.created`. `unit` is UCUM: `s`, `By`, or
/// what is counted in braces, `{order}`.
pub fn counter(name: &'static str, unit: &'static str, description: &'static str) -> Counter {
    Counter(Bound::new(name, unit, description))
}

/// `bounds` are the upper ends of the buckets but the last.
pub fn histogram(
    name: &'static str,
    unit: &'static str,
    description: &'static str,
    bounds: &'static [f64],
) -> Histogram {
    Histogram {
        bound: Bound::new(name, unit, description),
        bounds,
        exemplars: exemplars::of(name, bounds),
    }
}

pub fn gauge(name: &'static str, unit: &'static str, description: &'static str) -> Gauge {
    Gauge(Bound::new(name, unit, description))
}

impl Counter {
    pub fn add(&self, value: u64, labels: &[KeyValue]) {
        let Bound { definition, .. } = &self.0;
        if let Some(counter) = self.0.get(|meter| {
            let builder = meter.u64_counter(definition.name);
            let builder = builder.with_unit(definition.unit);
            builder.with_description(definition.description).build()
        }) {
            counter.add(value, labels);
        }
    }
}

impl Histogram {
    /// Inside of a sampled span the measurement points to it.
    pub fn record(&self, value: f64, labels: &[KeyValue]) {
        let Bound { definition, .. } = &self.bound;
        if let Some(histogram) = self.bound.get(|meter| {
            let builder = meter.f64_histogram(definition.name);
            let builder = builder.with_unit(definition.unit);
            let builder = builder.with_description(definition.description);
            builder.with_boundaries(self.bounds.to_vec()).build()
        }) {
            histogram.record(value, labels);
            self.exemplars.offer(value, labels);
        }
    }
}

impl Gauge {
    pub fn set(&self, value: f64, labels: &[KeyValue]) {
        let Bound { definition, .. } = &self.0;
        if let Some(gauge) = self.0.get(|meter| {
            let builder = meter.f64_gauge(definition.name);
            let builder = builder.with_unit(definition.unit);
            builder.with_description(definition.description).build()
        }) {
            gauge.record(value, labels);
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Definition {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) description: &'static str,
}

/// The SDK's instrument, once there is an SDK.
#[derive(Debug)]
struct Bound<T> {
    definition: Definition,
    instrument: OnceLock<T>,
}

impl<T> Bound<T> {
    fn new(name: &'static str, unit: &'static str, description: &'static str) -> Self {
        let definition = Definition {
            name,
            unit,
            description,
        };
        let instrument = OnceLock::new();
        Self {
            definition,
            instrument,
        }
    }

    fn get(&self, build: impl FnOnce(&metrics::Meter) -> T) -> Option<&T> {
        if let Some(instrument) = self.instrument.get() {
            return Some(instrument);
        }
        let meter = installed::meter()?;
        Some(self.instrument.get_or_init(|| build(meter)))
    }
}
