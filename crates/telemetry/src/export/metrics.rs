//! Metrics, pushed beside being read.

use std::{sync::Arc, time::Duration};

use opentelemetry_sdk::{
    error::OTelSdkResult,
    metrics::{
        MeterProviderBuilder, PeriodicReader, Temporality, data::ResourceMetrics,
        exporter::PushMetricExporter,
    },
};

use super::{Losses, Signal, Wishes, otlp};
use crate::{Error, metrics::ExemplarFilter, variables::Variables};

/// As often as Prometheus usually asks.
const EXPORT_EVERY: Duration = Duration::from_secs(15);

pub(crate) type WithPush = (MeterProviderBuilder, Option<Arc<Losses>>);

pub(crate) fn with_push(
    wishes: &Wishes<'_>,
    builder: MeterProviderBuilder,
) -> Result<WithPush, Error> {
    let variables = wishes.variables;
    let every = variables.millis("OTEL_METRIC_EXPORT_INTERVAL", EXPORT_EVERY);
    let temporality = temporality(variables);
    crate::metrics::set_filter(exemplar_filter(variables));
    let exporter = wishes
        .target(Signal::Metrics)
        .map(|target| otlp::metrics(&target, temporality));
    let exporter = exporter
        .map(|exporter| wishes.built(exporter))
        .transpose()?;
    let Some(inner) = exporter.flatten() else {
        return Ok((builder, None));
    };
    let losses = Arc::new(Losses::new(Signal::Metrics, 1));
    let exporter = Exporter {
        inner,
        losses: losses.clone(),
    };
    let reader = PeriodicReader::builder(exporter)
        .with_interval(every)
        .build();
    Ok((builder.with_reader(reader), Some(losses)))
}

fn temporality(variables: &Variables) -> Temporality {
    let aggregation = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION";
    let known = [("explicit_bucket_histogram", ())];
    variables.one_of(aggregation, &known, "explicit_bucket_histogram");
    let name = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
    let known = [
        ("cumulative", Temporality::Cumulative),
        ("delta", Temporality::Delta),
        ("lowmemory", Temporality::LowMemory),
    ];
    let read = variables.one_of(name, &known, "cumulative");
    read.unwrap_or(Temporality::Cumulative)
}

fn exemplar_filter(variables: &Variables) -> ExemplarFilter {
    let known = [
        ("trace_based", ExemplarFilter::TraceBased),
        ("always_on", ExemplarFilter::AlwaysOn),
        ("always_off", ExemplarFilter::AlwaysOff),
    ];
    let read = variables.one_of("OTEL_METRICS_EXEMPLAR_FILTER", &known, "trace_based");
    read.unwrap_or(ExemplarFilter::TraceBased)
}

#[derive(Debug)]
struct Exporter {
    inner: opentelemetry_otlp::MetricExporter,
    losses: Arc<Losses>,
}

impl PushMetricExporter for Exporter {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let result = self.inner.export(metrics).await;
        self.losses.judge(1, result);
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.inner.temporality()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporality_and_exemplars_are_as_the_variables_say() {
        let name = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
        let filter = "OTEL_METRICS_EXEMPLAR_FILTER";
        let variables = Variables::of(&[(name, "Delta"), (filter, "always_off")]);
        assert_eq!(temporality(&variables), Temporality::Delta);
        assert_eq!(exemplar_filter(&variables), ExemplarFilter::AlwaysOff);
        assert_eq!(variables.wrong(), []);
        let variables = Variables::of(&[(name, "sum"), (filter, "some")]);
        assert_eq!(temporality(&variables), Temporality::Cumulative);
        assert_eq!(exemplar_filter(&variables), ExemplarFilter::TraceBased);
        assert_eq!(variables.wrong().len(), 2);
    }
}
