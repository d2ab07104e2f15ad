//! The share of traces that are kept, changeable while the process runs.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanKind, TraceContextExt, TraceId},
};
use opentelemetry_sdk::trace::{Sampler, SamplingResult, ShouldSample};

use crate::{Ratio, TraceSettings, variables::Variables};

const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";

/// Decides about traces that begin here; clones are one.
#[derive(Clone, Debug)]
pub struct SampleHandle {
    /// The bits of an `f64`.
    ratio: Arc<AtomicU64>,
}

impl SampleHandle {
    pub(crate) fn new(ratio: f64) -> Self {
        let ratio = Arc::new(AtomicU64::new(ratio.to_bits()));
        Self { ratio }
    }

    pub fn get(&self) -> f64 {
        f64::from_bits(self.ratio.load(Ordering::Relaxed))
    }

    /// For traces that begin from now on.
    pub fn set(&self, ratio: f64) {
        self.ratio.store(ratio.to_bits(), Ordering::Relaxed);
    }
}

/// All standard samplers are these two: a ratio, and whether a caller's decision
/// is followed.
#[derive(Clone, Debug)]
pub(crate) struct Sampling {
    ratio: SampleHandle,
    follows_caller: bool,
}

impl Sampling {
    /// As the setting says, else the variable, else by the environment.
    pub(crate) fn chosen(
        settings: &TraceSettings,
        environment: &str,
        variables: &Variables,
    ) -> Self {
        let usual = if matches!(environment, "local" | "test") {
            1.0
        } else {
            0.1
        };
        let (ratio, follows_caller) = match settings.sample_ratio {
            Some(ratio) => (ratio.get(), true),
            None => from_variables(variables, usual).unwrap_or((usual, true)),
        };
        Self {
            ratio: SampleHandle::new(ratio),
            follows_caller,
        }
    }

    pub(crate) fn never() -> Self {
        Self {
            ratio: SampleHandle::new(0.0),
            follows_caller: false,
        }
    }

    pub(crate) fn handle(&self) -> SampleHandle {
        self.ratio.clone()
    }
}

fn from_variables(variables: &Variables, usual: f64) -> Option<(f64, bool)> {
    let known = [
        ("always_on", (Some(1.0), false)),
        ("always_off", (Some(0.0), false)),
        ("traceidratio", (None, false)),
        ("parentbased_always_on", (Some(1.0), true)),
        ("parentbased_always_off", (Some(0.0), true)),
        ("parentbased_traceidratio", (None, true)),
    ];
    let instead = format!("parentbased_traceidratio with {usual}");
    let (ratio, follows_caller) = variables.one_of(SAMPLER, &known, instead)?;
    // The specification's ratio is 1 where none is said.
    let ratio = ratio.unwrap_or_else(|| argument(variables).unwrap_or(1.0));
    Some((ratio, follows_caller))
}

fn argument(variables: &Variables) -> Option<f64> {
    let ratio: f64 = variables.parsed(ARGUMENT, 1)?;
    let checked = Ratio::try_from(ratio).ok();
    if checked.is_none() {
        variables.refuse(ARGUMENT, &ratio.to_string(), 1);
    }
    checked.map(Ratio::get)
}

impl ShouldSample for Sampling {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let caller = parent.filter(|parent| self.follows_caller && parent.has_active_span());
        let sampler = match caller {
            Some(caller) if caller.span().span_context().is_sampled() => Sampler::AlwaysOn,
            Some(_) => Sampler::AlwaysOff,
            None => Sampler::TraceIdRatioBased(self.ratio.get()),
        };
        sampler.should_sample(parent, trace_id, name, kind, attributes, links)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(ratio: Option<f64>, pairs: &[(&str, &str)]) -> (f64, bool, usize) {
        let settings = TraceSettings {
            sample_ratio: ratio.map(|ratio| ratio.try_into().unwrap_or_default()),
            ..TraceSettings::default()
        };
        let variables = Variables::of(pairs);
        let sampling = Sampling::chosen(&settings, "production", &variables);
        let wrong = variables.wrong().len();
        (sampling.handle().get(), sampling.follows_caller, wrong)
    }

    #[test]
    fn every_standard_sampler_is_known() {
        let with = |sampler, argument| chosen(None, &[(SAMPLER, sampler), (ARGUMENT, argument)]);
        assert_eq!(with("always_on", ""), (1.0, false, 0));
        assert_eq!(with("always_off", ""), (0.0, false, 0));
        assert_eq!(with("traceidratio", "0.25"), (0.25, false, 0));
        assert_eq!(with("parentbased_always_on", ""), (1.0, true, 0));
        assert_eq!(with("parentbased_always_off", ""), (0.0, true, 0));
        assert_eq!(with("parentbased_traceidratio", "0.5"), (0.5, true, 0));
        assert_eq!(with("parentbased_traceidratio", ""), (1.0, true, 0));
        assert_eq!(with("parentbased_traceidratio", "half"), (1.0, true, 1));
        assert_eq!(with("traceidratio", "7"), (1.0, false, 1));
        assert_eq!(with("jaeger_remote", ""), (0.1, true, 1));
    }

    #[test]
    fn a_setting_wins_over_the_variable() {
        let pairs = [(SAMPLER, "always_off")];
        assert_eq!(chosen(Some(0.75), &pairs), (0.75, true, 0));
        assert_eq!(chosen(None, &[]), (0.1, true, 0));
    }
}
