//! The items of a batch call, each in the trace of its own order.

use telemetry::propagation;
use tonic::Code;
use tracing::{Span, field::Empty};

use crate::watch;

/// One item, for as long as it is worked on.
#[derive(Debug)]
pub struct Item {
    span: Span,
}

impl Item {
    /// Below `traceparent`, which came with the item, and linked to the current
    /// span, which is the whole call's.
    pub fn begin(verb: &'static str, index: usize, traceparent: &str) -> Self {
        let span = tracing::info_span!(
            "batch item",
            batch.verb = verb,
            batch.index = i64::try_from(index).unwrap_or(i64::MAX),
            order.id = Empty,
            payment.id = Empty,
            outcome = Empty,
            otel.status_code = Empty,
            "error.type" = Empty,
        );
        if !traceparent.is_empty() {
            propagation::set_parent_from(&span, traceparent);
        }
        if propagation::is_sampled(&span) {
            propagation::link(&span, &Span::current());
        }
        Self { span }
    }

    pub fn span(&self) -> &Span {
        &self.span
    }

    /// That it was refused is no error: the caller asked for what cannot be.
    pub fn end(self, code: Code) {
        let outcome = match code {
            Code::Ok => "done",
            code if watch::is_fault(code) => "failed",
            _ => "refused",
        };
        self.span.record("outcome", outcome);
        if watch::is_fault(code) {
            self.span.record("otel.status_code", "ERROR");
            self.span.record("error.type", watch::name(code));
        }
        // It ends now, also where it was left long ago.
        self.span.in_scope(|| ());
    }
}
