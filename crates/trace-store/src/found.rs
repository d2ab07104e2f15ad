//! What belongs to an order or a trace: its own spans, and those of other
//! traces that did its work together with that of others.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet, VecDeque},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{BATCH_SIZE, Span, SpanId, TraceId, traces::Traces};

/// Of an answer, which must have an end.
const LINKED_SPANS_MAX: usize = 5_000;

/// Spans by their start, with how they belong to what was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The traces that are all there; linked spans are of others.
    pub traces: Vec<TraceId>,
    /// How many of their spans have a parent that is not there.
    pub orphans: usize,
    pub spans: Vec<FoundSpan>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundSpan {
    #[serde(flatten)]
    pub span: Span,
    /// Of another trace, reached by a link.
    pub linked: bool,
    /// How many spans, also of other orders, link to this one.
    pub links_to_it: usize,
}

pub(crate) fn find(traces: &Traces, ids: &BTreeSet<TraceId>) -> Found {
    let present: Vec<TraceId> = ids
        .iter()
        .copied()
        .filter(|id| traces.get(*id).is_some())
        .collect();
    let own = present.iter().filter_map(|id| traces.get(*id));
    let own: Vec<&Arc<Span>> = own.flat_map(|trace| trace.values()).collect();
    let orphans = own.iter().filter(|span| {
        let parent = span.parent_span_id;
        parent.is_some_and(|parent| traces.span(span.trace_id, parent).is_none())
    });
    let orphans = orphans.count();
    let linked = linked(traces, ids, &own);
    let own = own.into_iter().map(|span| (span, false));
    let all = own.chain(linked.into_iter().map(|span| (span, true)));
    let spans = all.map(|(span, linked)| FoundSpan {
        span: Span::clone(span),
        linked,
        links_to_it: traces.links_to(span),
    });
    let mut spans: Vec<FoundSpan> = spans.collect();
    spans.sort_by_key(|found| (found.span.start, found.span.span_id));
    Found {
        traces: present,
        orphans,
        spans,
    }
}

/// What `own` links to in other traces, with all below it. What that links to
/// in its turn is the work of others.
fn linked<'a>(
    traces: &'a Traces,
    ids: &BTreeSet<TraceId>,
    own: &[&'a Arc<Span>],
) -> Vec<&'a Arc<Span>> {
    let mut children = Children::default();
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    let mut next: VecDeque<(TraceId, SpanId)> =
        own.iter().flat_map(|span| workers_of(span)).collect();
    while let Some(at) = next.pop_front() {
        if found.len() >= LINKED_SPANS_MAX {
            break;
        }
        if ids.contains(&at.0) || !seen.insert(at) {
            continue;
        }
        if let Some(span) = traces.span(at.0, at.1) {
            found.push(span);
            next.extend(children.of(traces, at).iter().map(|child| (at.0, *child)));
        }
    }
    found
}

/// Who works for this span elsewhere. Links of those who work lead to others
/// for whom they work.
fn workers_of(span: &Span) -> impl Iterator<Item = (TraceId, SpanId)> {
    let works = span.attribute(BATCH_SIZE).is_some();
    let links = span.links.iter().filter(move |_| !works);
    links.map(|link| (link.trace_id, link.span_id))
}

/// The children of the spans of some traces, gathered once for each trace.
#[derive(Default)]
struct Children(BTreeMap<TraceId, BTreeMap<SpanId, Vec<SpanId>>>);

impl Children {
    fn of(&mut self, traces: &Traces, (trace_id, span_id): (TraceId, SpanId)) -> &[SpanId] {
        let trace = self.0.entry(trace_id).or_insert_with(|| {
            let mut children: BTreeMap<SpanId, Vec<SpanId>> = BTreeMap::new();
            let spans = traces
                .get(trace_id)
                .into_iter()
                .flat_map(|all| all.values());
            for span in spans {
                if let Some(parent) = span.parent_span_id {
                    children.entry(parent).or_default().push(span.span_id);
                }
            }
            children
        });
        trace.get(&span_id).map(Vec::as_slice).unwrap_or_default()
    }
}
