//! The verdict on the books as gauges.

use std::{
    sync::{LazyLock, Mutex, PoisonError},
    time::Instant,
};

use telemetry::metrics::{Gauge, KeyValue, gauge, observe};

static VIOLATIONS: LazyLock<Gauge> = LazyLock::new(|| {
    gauge(
        "audit.violations",
        "{violation}",
        "How often an invariant was broken when this process last looked. The only good number is 0.",
    )
});

static LAST: Mutex<Option<Instant>> = Mutex::new(None);
static AGE_IS_READ: LazyLock<()> = LazyLock::new(|| {
    observe(
        "audit.age",
        "s",
        "How long ago this process last looked at every invariant.",
        |age| {
            let last = *LAST.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(last) = last {
                age.set(last.elapsed().as_secs_f64(), &[]);
            }
        },
    );
});

/// Shows how often each invariant is broken, also those that are not.
pub fn audited(findings: impl IntoIterator<Item = (&'static str, i64)>) {
    for (invariant, violations) in findings {
        let labels = [KeyValue::new("invariant", invariant)];
        VIOLATIONS.set(violations as f64, &labels);
    }
    LazyLock::force(&AGE_IS_READ);
    *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
}
