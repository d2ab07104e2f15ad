//! Whether limits are those of the whole shop.

use std::sync::Weak;

use telemetry::metrics::observe;

/// Looks at `limits` for as long as somebody counts by them.
pub(crate) fn watch<T: Send + Sync + 'static>(limits: Weak<T>, is_shared: fn(&T) -> bool) {
    observe(
        "limits.fallback",
        "1",
        "1 while this process counts calls by itself because Redis does not answer, else 0.",
        move |fallback| {
            if let Some(limits) = limits.upgrade() {
                fallback.set(if is_shared(&limits) { 0.0 } else { 1.0 }, &[]);
            }
        },
    );
}
