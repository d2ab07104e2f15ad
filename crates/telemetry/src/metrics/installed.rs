//! The one source of instruments of this process.

use std::sync::{Arc, OnceLock, Weak};

use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    metrics::{
        InstrumentKind, ManualReader, MeterProviderBuilder, Pipeline, SdkMeterProvider,
        Temporality, data::ResourceMetrics, reader::MetricReader,
    },
};

use super::observed;

static INSTALLED: OnceLock<Installed> = OnceLock::new();

struct Installed {
    meter: Meter,
    pull: Pull,
}

/// Read when somebody asks, beside those that push.
#[derive(Clone, Debug)]
pub(crate) struct Pull(Arc<ManualReader>);

/// The provider, and what reads it on demand.
pub(crate) fn provider(
    builder: MeterProviderBuilder,
    resource: Resource,
) -> (SdkMeterProvider, Pull) {
    let pull = Pull(Arc::new(ManualReader::builder().build()));
    let builder = builder.with_resource(resource).with_reader(pull.clone());
    (builder.build(), pull)
}

/// From now on instruments count here. The first call wins, for the life of the
/// process.
pub(crate) fn install_provider(provider: &SdkMeterProvider, pull: Pull) {
    let meter = provider.meter("cartwright");
    let mut is_first = false;
    let installed = INSTALLED.get_or_init(|| {
        is_first = true;
        Installed { meter, pull }
    });
    if is_first {
        observed::register_all(&installed.meter);
    }
}

/// For tests of what is counted: metrics without an exporter, once per process.
#[doc(hidden)]
pub fn install() {
    static PROVIDER: OnceLock<SdkMeterProvider> = OnceLock::new();
    PROVIDER.get_or_init(|| {
        let resource = Resource::builder_empty().build();
        let (provider, pull) = provider(SdkMeterProvider::builder(), resource);
        install_provider(&provider, pull);
        provider
    });
}

/// `None` until the SDK is installed.
pub(super) fn meter() -> Option<&'static Meter> {
    INSTALLED.get().map(|installed| &installed.meter)
}

/// All that is counted at this moment; `None` until the SDK is installed.
pub(super) fn resource_metrics() -> Option<ResourceMetrics> {
    let mut metrics = ResourceMetrics::default();
    let pull = &INSTALLED.get()?.pull;
    pull.collect(&mut metrics).ok().map(|()| metrics)
}

impl MetricReader for Pull {
    fn register_pipeline(&self, pipeline: Weak<Pipeline>) {
        self.0.register_pipeline(pipeline);
    }

    fn collect(&self, metrics: &mut ResourceMetrics) -> OTelSdkResult {
        self.0.collect(metrics)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: std::time::Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        self.0.temporality(kind)
    }
}
