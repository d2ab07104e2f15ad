//! The share of traces that are kept, changeable while the process runs.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanKind, TraceId},
};
use opentelemetry_sdk::trace::{Sampler, SamplingResult, ShouldSample};

/// Decides about traces that begin here; clones are one.
#[derive(Clone, Debug)]
pub struct SampleHandle {
    /// The bits of an `f64`.
    ratio: Arc<AtomicU64>,
}

impl SampleHandle {
    pub(crate) fn new(ratio: f64) -> Self {
        let ratio = Arc::new(AtomicU64::new(ratio.to_bits()));
        Self { ratio }
    }

    pub fn get(&self) -> f64 {
        f64::from_bits(self.ratio.load(Ordering::Relaxed))
    }

    /// For traces that begin from now on.
    pub fn set(&self, ratio: f64) {
        self.ratio.store(ratio.to_bits(), Ordering::Relaxed);
    }
}

impl ShouldSample for SampleHandle {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let sampler = Sampler::TraceIdRatioBased(self.get());
        sampler.should_sample(parent, trace_id, name, kind, attributes, links)
    }
}
