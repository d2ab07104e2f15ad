//! The spans of those who wait for a batch.

use crate::GatherError;
use telemetry::propagation::is_sampled;
use tracing::{Span, field::Empty, info_span};

/// Where a caller waits, from handing in to its answer. Where traces are not
/// kept, that is whatever span the caller is in, and costs nothing.
pub(crate) struct Stay {
    span: Span,
    is_kept: bool,
}

impl Stay {
    /// In a span of its own below the caller's.
    pub(crate) fn begin(name: &'static str) -> Self {
        let caller = Span::current();
        if !is_sampled(&caller) {
            return Self {
                span: caller,
                is_kept: false,
            };
        }
        let span = info_span!(
            "gathered",
            batch.verb = name,
            otel.status_code = Empty,
            "error.type" = Empty,
        );
        Self {
            span,
            is_kept: true,
        }
    }

    /// In a span that the caller has made for this input alone.
    pub(crate) fn within(span: Span) -> Self {
        let is_kept = is_sampled(&span);
        Self { span, is_kept }
    }

    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// Whether anybody will see the span.
    pub(crate) fn is_kept(&self) -> bool {
        self.is_kept
    }

    pub(crate) fn failed(&self, error: GatherError) {
        if self.is_kept {
            self.span.record("otel.status_code", "ERROR");
            self.span.record("error.type", error.kind());
        }
    }
}

impl Drop for Stay {
    /// A span ends when it was last left, not when its last handle goes: one
    /// that was never entered, and has children, would end with those.
    fn drop(&mut self) {
        if self.is_kept {
            self.span.in_scope(|| ());
        }
    }
}
