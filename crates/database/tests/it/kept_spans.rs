//! Spans of this thread, kept for reading once they have ended.

use std::sync::{Arc, Mutex};

use opentelemetry::trace::{SpanId, TracerProvider};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanData, SpanExporter};
use tracing::dispatcher::{DefaultGuard, Dispatch};
use tracing_subscriber::{Registry, layer::SubscriberExt};

#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Kept {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(batch);
        Ok(())
    }
}

pub(crate) struct Spans {
    kept: Kept,
    _provider: SdkTracerProvider,
    _default: DefaultGuard,
}

impl Spans {
    /// `sampled`: all of them, or none.
    pub(crate) fn keep(sampled: bool) -> Self {
        let kept = Kept::default();
        let sampler = match sampled {
            true => Sampler::AlwaysOn,
            false => Sampler::AlwaysOff,
        };
        let provider = SdkTracerProvider::builder()
            .with_sampler(sampler)
            .with_simple_exporter(kept.clone())
            .build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        let dispatch = Dispatch::new(Registry::default().with(layer));
        Self {
            kept,
            _provider: provider,
            _default: tracing::dispatcher::set_default(&dispatch),
        }
    }

    pub(crate) fn ended(&self) -> Vec<SpanData> {
        self.kept.0.lock().unwrap().clone()
    }

    /// The one of this name; it has ended.
    pub(crate) fn one(&self, name: &str) -> SpanData {
        let mut spans = self.ended();
        spans.retain(|span| span.name == name);
        assert_eq!(spans.len(), 1, "{name}: {:?}", self.names());
        spans.remove(0)
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let spans = self.ended().into_iter();
        spans.map(|span| span.name.into_owned()).collect()
    }

    /// The names of those right under this one, as they ended.
    pub(crate) fn under(&self, parent: SpanId) -> Vec<String> {
        let spans = self.ended().into_iter();
        spans
            .filter(|span| span.parent_span_id == parent)
            .map(|span| span.name.into_owned())
            .collect()
    }
}

/// As text; nothing if it has none.
pub(crate) fn attribute(span: &SpanData, name: &str) -> Option<String> {
    let mut attributes = span.attributes.iter();
    let found = attributes.find(|attribute| attribute.key.as_str() == name)?;
    Some(found.value.as_str().into_owned())
}
