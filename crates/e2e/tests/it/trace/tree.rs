//! Spans as a tree: what is below what, and what is linked to what.

use std::collections::{BTreeMap, BTreeSet};

use trace_store::{ORDER_ID, Span, SpanId, TraceId, TraceStore};

/// All spans of all traces.
pub struct Forest(BTreeMap<(TraceId, SpanId), Span>);

/// What a span on a path is.
pub struct Step {
    /// As the log names the process.
    pub service: &'static str,
    /// How the name of the span begins.
    pub name: &'static str,
}

/// A span of `service` whose name begins with `name`.
pub const fn at(service: &'static str, name: &'static str) -> Step {
    Step { service, name }
}

impl Step {
    fn is(&self, span: &Span) -> bool {
        span.service == self.service && span.name.starts_with(self.name)
    }
}

impl Forest {
    pub fn of(store: &TraceStore) -> Self {
        let spans = store.spans().into_iter();
        Self(
            spans
                .map(|span| ((span.trace_id, span.span_id), span))
                .collect(),
        )
    }

    pub fn all(&self) -> impl Iterator<Item = &Span> {
        self.0.values()
    }

    pub fn trace(&self, id: TraceId) -> impl Iterator<Item = &Span> {
        self.all().filter(move |span| span.trace_id == id)
    }

    pub fn parent(&self, span: &Span) -> Option<&Span> {
        self.0.get(&(span.trace_id, span.parent_span_id?))
    }

    pub fn children(&self, span: &Span) -> impl Iterator<Item = &Span> {
        let (trace, id) = (span.trace_id, span.span_id);
        let below = move |child: &&Span| child.parent_span_id == Some(id);
        self.trace(trace).filter(below)
    }

    /// What a span is linked to.
    pub fn linked(&self, span: &Span) -> impl Iterator<Item = &Span> {
        let links = span.links.iter();
        links.filter_map(|link| self.0.get(&(link.trace_id, link.span_id)))
    }

    /// Whether in a trace spans lie below each other in this order, with others
    /// between them perhaps.
    pub fn has_path(&self, trace: TraceId, path: &[Step]) -> bool {
        let Some((last, above)) = path.split_last() else {
            return true;
        };
        self.trace(trace)
            .filter(|span| last.is(span))
            .any(|span| self.is_below(span, above))
    }

    fn is_below(&self, span: &Span, path: &[Step]) -> bool {
        let Some((last, above)) = path.split_last() else {
            return true;
        };
        let mut at = span;
        while let Some(parent) = self.parent(at) {
            if last.is(parent) && self.is_below(parent, above) {
                return true;
            }
            at = parent;
        }
        false
    }

    /// The traces in which work was done for an order; calls that ask about it
    /// are in traces of their own.
    pub fn traces_of_work(&self, order: &str) -> BTreeSet<TraceId> {
        let works = self
            .all()
            .filter(|span| span.attribute(ORDER_ID) == Some(order))
            .filter(|span| !span.name.starts_with("cartwright."));
        works.map(|span| span.trace_id).collect()
    }

    /// For the message of a failed test.
    pub fn drawn(&self, trace: TraceId) -> String {
        let mut text = String::new();
        let roots = self
            .trace(trace)
            .filter(|span| self.parent(span).is_none())
            .collect::<Vec<_>>();
        for root in roots {
            self.draw(root, 0, &mut text);
        }
        text
    }

    fn draw(&self, span: &Span, depth: usize, text: &mut String) {
        let indent = "  ".repeat(depth);
        let Span { service, name, .. } = span;
        let links = span.links.len();
        text.push_str(&format!("{indent}{service} {name} ({links} links)\n"));
        let mut children: Vec<&Span> = self.children(span).collect();
        children.sort_by_key(|span| span.start);
        for child in children {
            self.draw(child, depth + 1, text);
        }
    }
}
