//! Traces, of which the oldest make room for new ones, each as a whole.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use crate::{Bounds, ORDER_ID, Span, SpanId, TraceId};

pub(crate) type Trace = HashMap<SpanId, Arc<Span>>;

#[derive(Debug)]
pub(crate) struct Traces {
    bounds: Bounds,
    all: HashMap<TraceId, Trace>,
    /// By the arrival of their first span.
    ages: VecDeque<TraceId>,
    of_orders: HashMap<String, BTreeSet<TraceId>>,
    /// How many spans link to this one.
    links: HashMap<(TraceId, SpanId), usize>,
    spans: usize,
    bytes: usize,
    pub(crate) evicted: u64,
    pub(crate) beyond_trace: u64,
}

impl Traces {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            all: HashMap::new(),
            ages: VecDeque::new(),
            of_orders: HashMap::new(),
            links: HashMap::new(),
            spans: 0,
            bytes: 0,
            evicted: 0,
            beyond_trace: 0,
        }
    }

    /// A span that is sent again, as after a lost answer, is there once.
    pub(crate) fn add(&mut self, span: Span) {
        let span = Arc::new(span);
        let id = span.trace_id;
        let trace = self.all.entry(id).or_insert_with(|| {
            self.ages.push_back(id);
            Trace::new()
        });
        let is_new = !trace.contains_key(&span.span_id);
        if is_new && trace.len() >= self.bounds.spans_per_trace {
            self.beyond_trace += 1;
            return;
        }
        if let Some(old) = trace.insert(span.span_id, span.clone()) {
            self.forget(&old);
        }
        self.remember(&span);
        while self.spans > self.bounds.spans || self.bytes > self.bounds.bytes {
            let Some(oldest) = self.ages.pop_front() else {
                return;
            };
            self.evict(oldest);
        }
    }

    pub(crate) fn get(&self, id: TraceId) -> Option<&Trace> {
        self.all.get(&id)
    }

    pub(crate) fn span(&self, trace_id: TraceId, span_id: SpanId) -> Option<&Arc<Span>> {
        self.all.get(&trace_id)?.get(&span_id)
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn spans_len(&self) -> usize {
        self.spans
    }

    /// All spans, the oldest trace first.
    pub(crate) fn spans(&self) -> impl Iterator<Item = &Arc<Span>> {
        let traces = self.ages.iter().filter_map(|id| self.all.get(id));
        traces.flat_map(HashMap::values)
    }

    /// Those whose parent is not there.
    pub(crate) fn orphans(&self) -> impl Iterator<Item = &Arc<Span>> {
        self.spans().filter(|span| {
            let parent = span.parent_span_id;
            parent.is_some_and(|parent| self.span(span.trace_id, parent).is_none())
        })
    }

    /// The traces in which something was done for an order.
    pub(crate) fn of_order(&self, order_id: &str) -> BTreeSet<TraceId> {
        self.of_orders.get(order_id).cloned().unwrap_or_default()
    }

    pub(crate) fn with_attribute(&self, name: &str, value: &str) -> BTreeSet<TraceId> {
        let spans = self.spans();
        let found = spans.filter(|span| span.attribute(name) == Some(value));
        found.map(|span| span.trace_id).collect()
    }

    pub(crate) fn links_to(&self, span: &Span) -> usize {
        let at = (span.trace_id, span.span_id);
        self.links.get(&at).copied().unwrap_or_default()
    }

    fn remember(&mut self, span: &Span) {
        self.spans += 1;
        self.bytes += span.bytes();
        if let Some(order) = span.attribute(ORDER_ID) {
            let traces = self.of_orders.entry(order.to_owned()).or_default();
            traces.insert(span.trace_id);
        }
        for link in &span.links {
            *self.links.entry((link.trace_id, link.span_id)).or_default() += 1;
        }
    }

    /// All but the order, which may have other spans in the same trace.
    fn forget(&mut self, span: &Span) {
        self.spans -= 1;
        self.bytes -= span.bytes();
        for link in &span.links {
            let at = (link.trace_id, link.span_id);
            if let Some(count) = self.links.get_mut(&at) {
                *count -= 1;
                if *count == 0 {
                    self.links.remove(&at);
                }
            }
        }
    }

    fn evict(&mut self, id: TraceId) {
        let trace = self.all.remove(&id).unwrap_or_default();
        for span in trace.values() {
            self.evicted += 1;
            self.forget(span);
            let Some(order) = span.attribute(ORDER_ID) else {
                continue;
            };
            if let Some(traces) = self.of_orders.get_mut(order) {
                traces.remove(&id);
                if traces.is_empty() {
                    self.of_orders.remove(order);
                }
            }
        }
    }
}
