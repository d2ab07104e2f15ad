//! The allocator of all services, and what it holds.
//!
//! jemalloc gives memory back after a burst, and says what it has; the allocator
//! of the C library does neither well.

use telemetry::metrics;
use tikv_jemalloc_ctl::{epoch, stats};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

type Read = fn() -> tikv_jemalloc_ctl::Result<usize>;

pub(super) fn observe() {
    let kinds: [(&'static str, &'static str, Read); 4] = [
        (
            "allocator.allocated",
            "Bytes that the process has asked for.",
            stats::allocated::read,
        ),
        (
            "allocator.active",
            "Bytes in pages that the allocator has in use.",
            stats::active::read,
        ),
        (
            "allocator.resident",
            "Bytes of physical memory that the allocator holds.",
            stats::resident::read,
        ),
        (
            "allocator.mapped",
            "Bytes of address space that the allocator has mapped.",
            stats::mapped::read,
        ),
    ];
    for (name, description, read) in kinds {
        metrics::observe(name, "By", description, move |seen| {
            // The numbers are those of the last epoch.
            let read = epoch::advance().and_then(|_| read());
            if let Ok(bytes) = read {
                seen.set(bytes as f64, &[]);
            }
        });
    }
}
