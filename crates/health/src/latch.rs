//! Something that must be done once before the process is ready.

use crate::Health;

/// Held until [`Latch::release`]; then never held again. A latch that is
/// dropped unreleased, by an error or a panic, keeps the process unready.
#[must_use = "a latch that nobody releases keeps the process unready for ever"]
#[derive(Debug)]
pub struct Latch {
    pub(crate) health: Health,
    pub(crate) name: &'static str,
}

impl Latch {
    pub fn release(self) {
        self.health.release(self.name);
    }
}
