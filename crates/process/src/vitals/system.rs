//! What the kernel knows of this process.

use std::fs;

use telemetry::metrics;

/// Of the kernel's interface, whatever its own clock is.
const TICKS_PER_SECOND: f64 = 100.0;

pub(super) fn observe() {
    metrics::observe(
        "process.memory.rss",
        "By",
        "Physical memory of this process.",
        |seen| {
            let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
            if let Some(bytes) = resident_bytes(&status) {
                seen.set(bytes, &[]);
            }
        },
    );
    metrics::observe_total(
        "process.cpu.time",
        "s",
        "CPU time of this process.",
        |seen| {
            let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
            if let Some(seconds) = cpu_seconds(&stat) {
                seen.set(seconds, &[]);
            }
        },
    );
    metrics::observe(
        "process.open.files",
        "{file}",
        "Open files and connections of this process.",
        |seen| {
            if let Ok(files) = fs::read_dir("/proc/self/fd") {
                // Without the one that reads the list.
                seen.set(files.count().saturating_sub(1) as f64, &[]);
            }
        },
    );
}

/// `VmRSS:     12345 kB`
fn resident_bytes(status: &str) -> Option<f64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024.0)
}

/// The 14th and 15th field; the second is the name in brackets, which may hold
/// anything.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_in_bytes() {
        let status = "Name:\tx\nVmHWM:\t  99 kB\nVmRSS:\t     2048 kB\nThreads:\t3\n";
        assert_eq!(resident_bytes(status), Some(2_097_152.0));
        assert_eq!(resident_bytes("Name:\tx\n"), None);
    }

    #[test]
    fn cpu_time_is_that_of_user_and_system_whatever_the_process_is_called() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 900 0 0 0 250 50 0 0 20 0 5 0 123 1 2";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(cpu_seconds("7"), None);
    }
}
