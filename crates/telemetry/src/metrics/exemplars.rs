//! The last measurement of each bucket that was taken inside of a sampled span:
//! from a spike in a chart to a trace that made it.
//!
//! Kept here because the SDK's histograms carry none.

use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    time::SystemTime,
};

use opentelemetry::{
    Context, KeyValue,
    trace::{SpanContext, TraceContextExt},
};

/// Of one histogram; what comes later has none.
const SERIES_MAX: usize = 500;

/// Which measurements may become exemplars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ExemplarFilter {
    TraceBased,
    AlwaysOn,
    AlwaysOff,
}

static FILTER: AtomicU8 = AtomicU8::new(ExemplarFilter::TraceBased as u8);

#[derive(Debug, Clone)]
pub(crate) struct Exemplar {
    pub(crate) value: f64,
    pub(crate) at: SystemTime,
    /// Not valid if it was taken outside of any span.
    pub(crate) span: SpanContext,
}

/// One for each bucket, also for the last, which has no bound.
pub(crate) type Buckets = Box<[Option<Exemplar>]>;

#[derive(Debug)]
pub(crate) struct Exemplars {
    bounds: &'static [f64],
    series: Mutex<HashMap<Vec<KeyValue>, Buckets>>,
}

type ByName = HashMap<&'static str, Arc<Exemplars>>;

static ALL: LazyLock<Mutex<ByName>> = LazyLock::new(Mutex::default);

pub(crate) fn set_filter(filter: ExemplarFilter) {
    FILTER.store(filter as u8, Ordering::Relaxed);
}

/// Those of the histogram `name`, of which there may be several handles.
pub(super) fn of(name: &'static str, bounds: &'static [f64]) -> Arc<Exemplars> {
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    let new = || {
        let series = Mutex::default();
        Arc::new(Exemplars { bounds, series })
    };
    all.entry(name).or_insert_with(new).clone()
}

/// Those of the series with these labels, whose order does not matter.
pub(super) fn find(name: &str, labels: &[&KeyValue]) -> Option<Buckets> {
    let all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    let series = all.get(name)?.series.lock();
    let series = series.unwrap_or_else(PoisonError::into_inner);
    let is_same = |own: &[KeyValue]| {
        own.len() == labels.len() && own.iter().all(|label| labels.contains(&label))
    };
    let mut found = series.iter().filter(|(own, _)| is_same(own));
    found.next().map(|(_, buckets)| buckets.clone())
}

impl Exemplars {
    /// Nobody waits here: where two measure at once, one exemplar is enough.
    pub(super) fn offer(&self, value: f64, labels: &[KeyValue]) {
        let Some(span) = eligible() else { return };
        let Ok(mut series) = self.series.try_lock() else {
            return;
        };
        let at = SystemTime::now();
        let exemplar = Some(Exemplar { value, at, span });
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        if let Some(buckets) = series.get_mut(labels) {
            buckets[bucket] = exemplar;
        } else if series.len() < SERIES_MAX {
            let mut buckets = vec![None; self.bounds.len() + 1].into_boxed_slice();
            buckets[bucket] = exemplar;
            series.insert(labels.to_vec(), buckets);
        }
    }
}

/// The span of a measurement that may be kept.
fn eligible() -> Option<SpanContext> {
    let filter = FILTER.load(Ordering::Relaxed);
    if filter == ExemplarFilter::AlwaysOff as u8 {
        return None;
    }
    let span = Context::map_current(|context| context.span().span_context().clone());
    (filter == ExemplarFilter::AlwaysOn as u8 || span.is_sampled()).then_some(span)
}
