//! The store itself, shared by whoever writes and reads.

use std::{
    collections::VecDeque,
    fmt::Write,
    sync::Arc,
    time::{Duration, Instant},
};

use opentelemetry_proto::tonic::collector::{
    logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
    trace::v1::ExportTraceServiceRequest,
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::{
    Attributes, Bounds, Found, Log, Losses, Metric, Span, TraceId, found,
    logs::Logs,
    metrics::Metrics,
    read::{Reader, Source},
    traces::Traces,
};

/// Processes that are remembered, so that their spans share what they said
/// about themselves.
const RESOURCES_MAX: usize = 64;
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Everything that was sent, within bounds. Clones are the same store.
#[derive(Debug, Clone)]
pub struct TraceStore(Arc<Mutex<Kept>>);

#[derive(Debug)]
struct Kept {
    traces: Traces,
    logs: Logs,
    metrics: Metrics,
    resources: VecDeque<Arc<Attributes>>,
    value_bytes_max: usize,
    rejected: u64,
    cut: u64,
}

/// The store in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub traces: usize,
    pub spans: usize,
    /// Spans whose parent is not there.
    pub orphans: usize,
    pub logs: usize,
    pub metrics: usize,
    pub lost: Losses,
}

impl Default for TraceStore {
    fn default() -> Self {
        Self::new(Bounds::default())
    }
}

impl TraceStore {
    pub fn new(bounds: Bounds) -> Self {
        Self(Arc::new(Mutex::new(Kept {
            traces: Traces::new(bounds),
            logs: Logs::new(bounds),
            metrics: Metrics::new(bounds.metric_series),
            resources: VecDeque::new(),
            value_bytes_max: bounds.value_bytes,
            rejected: 0,
            cut: 0,
        })))
    }

    /// All spans, in no particular order.
    pub fn spans(&self) -> Vec<Span> {
        let kept = self.0.lock();
        kept.traces.spans().map(|span| Span::clone(span)).collect()
    }

    /// The spans of one trace, by their start.
    pub fn trace(&self, id: TraceId) -> Vec<Span> {
        let kept = self.0.lock();
        let trace = kept.traces.get(id).into_iter().flat_map(|all| all.values());
        let mut spans: Vec<Span> = trace.map(|span| Span::clone(span)).collect();
        spans.sort_by_key(|span| (span.start, span.span_id));
        spans
    }

    /// The traces that have a span with this attribute.
    pub fn find(&self, attribute: &str, value: &str) -> Vec<TraceId> {
        let kept = self.0.lock();
        let found = match attribute {
            crate::ORDER_ID => kept.traces.of_order(value),
            other => kept.traces.with_attribute(other, value),
        };
        found.into_iter().collect()
    }

    /// All that was done for an order, with what was done for many at once.
    pub fn of_order(&self, order_id: &str) -> Found {
        let kept = self.0.lock();
        found::find(&kept.traces, &kept.traces.of_order(order_id))
    }

    /// A trace, with what was done for many at once.
    pub fn of_trace(&self, id: TraceId) -> Found {
        found::find(&self.0.lock().traces, &[id].into())
    }

    /// Spans whose parent is not there.
    pub fn orphans(&self) -> Vec<Span> {
        let kept = self.0.lock();
        let orphans = kept.traces.orphans();
        orphans.map(|span| Span::clone(span)).collect()
    }

    /// All log records as they came.
    pub fn logs(&self) -> Vec<Log> {
        self.0.lock().logs.all().cloned().collect()
    }

    /// All metrics by name.
    pub fn metrics(&self) -> Vec<Metric> {
        self.0.lock().metrics.all()
    }

    pub fn summary(&self) -> Summary {
        let kept = self.0.lock();
        Summary {
            traces: kept.traces.len(),
            spans: kept.traces.spans_len(),
            orphans: kept.traces.orphans().count(),
            logs: kept.logs.len(),
            metrics: kept.metrics.len(),
            lost: kept.losses(),
        }
    }

    /// Every text that is kept, for a search for what must not be there.
    pub fn everything(&self) -> String {
        let kept = self.0.lock();
        let mut text = String::new();
        for span in kept.traces.spans() {
            let _ = writeln!(text, "{span:?}");
        }
        for log in kept.logs.all() {
            let _ = writeln!(text, "{log:?}");
        }
        for metric in kept.metrics.all() {
            let _ = writeln!(text, "{metric:?}");
        }
        text
    }

    /// Looks again and again; false when `condition` did not come true in time.
    pub async fn wait_until(&self, patience: Duration, condition: impl Fn(&Self) -> bool) -> bool {
        let start = Instant::now();
        while !condition(self) {
            if start.elapsed() >= patience {
                return false;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        true
    }

    /// Tells how many spans it could not take.
    pub(crate) fn take_traces(&self, request: ExportTraceServiceRequest) -> u64 {
        let mut kept = self.0.lock();
        let mut reader = Reader::new(kept.value_bytes_max);
        let mut rejected = 0;
        for sent in request.resource_spans {
            let process = kept.process(&mut reader, sent.resource);
            for sent in sent.scope_spans {
                let source = reader.scope(&process, sent.scope);
                for span in sent.spans {
                    match reader.span(&source, span) {
                        Some(span) => kept.traces.add(span),
                        None => rejected += 1,
                    }
                }
            }
        }
        kept.rejected += rejected;
        kept.cut += reader.cut;
        rejected
    }

    pub(crate) fn take_logs(&self, request: ExportLogsServiceRequest) {
        let mut kept = self.0.lock();
        let mut reader = Reader::new(kept.value_bytes_max);
        for sent in request.resource_logs {
            let process = kept.process(&mut reader, sent.resource);
            for sent in sent.scope_logs {
                let source = reader.scope(&process, sent.scope);
                for record in sent.log_records {
                    let log = reader.log(&source, record);
                    kept.logs.add(log);
                }
            }
        }
        kept.cut += reader.cut;
    }

    pub(crate) fn take_metrics(&self, request: ExportMetricsServiceRequest) {
        let mut kept = self.0.lock();
        let mut reader = Reader::new(kept.value_bytes_max);
        for sent in request.resource_metrics {
            let process = kept.process(&mut reader, sent.resource);
            let metrics = sent.scope_metrics.into_iter().flat_map(|sent| sent.metrics);
            for metric in metrics {
                kept.metrics.add(&mut reader, &process.service, metric);
            }
        }
        kept.cut += reader.cut;
    }
}

impl Kept {
    /// Who sent it; what one process says about itself is kept once.
    fn process(
        &mut self,
        reader: &mut Reader,
        resource: Option<opentelemetry_proto::tonic::resource::v1::Resource>,
    ) -> Source {
        let mut source = reader.resource(resource);
        let known = self
            .resources
            .iter()
            .find(|known| **known == source.resource);
        if let Some(known) = known {
            source.resource = known.clone();
        } else {
            self.resources.push_back(source.resource.clone());
            if self.resources.len() > RESOURCES_MAX {
                self.resources.pop_front();
            }
        }
        source
    }

    fn losses(&self) -> Losses {
        Losses {
            spans_evicted: self.traces.evicted,
            spans_beyond_trace: self.traces.beyond_trace,
            spans_rejected: self.rejected,
            logs_evicted: self.logs.evicted,
            points_dropped: self.metrics.dropped,
            parts_cut: self.cut,
        }
    }
}
