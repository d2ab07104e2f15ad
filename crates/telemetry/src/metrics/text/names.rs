//! Names of OpenTelemetry as Prometheus wants them: no dots, the unit in words at
//! the end.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
    Info,
}

/// The name of a family and its unit in words: `http.request.duration` in `s` is
/// `http_request_duration_seconds`. The `_total` of a counter is not part of it.
pub(super) fn family(name: &str, unit: &str, kind: Kind) -> (String, Option<String>) {
    let mut family = sanitized(name);
    if kind == Kind::Counter {
        let base = family.strip_suffix("_total").map(str::to_owned);
        family = base.unwrap_or(family);
    }
    let unit = in_words(unit, kind);
    if let Some(unit) = &unit
        && family != *unit
        && !family.ends_with(&format!("_{unit}"))
    {
        family = format!("{family}_{unit}");
    }
    (family, unit)
}

/// Also for labels.
pub(super) fn sanitized(name: &str) -> String {
    let allowed = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let mut sanitized: String = name
        .chars()
        .map(|char| if allowed(char) { char } else { '_' })
        .collect();
    if sanitized.starts_with(|char: char| char.is_ascii_digit()) {
        sanitized.insert(0, '_');
    }
    sanitized
}

/// Units in braces say what is counted, which the name says too.
fn in_words(unit: &str, kind: Kind) -> Option<String> {
    match unit {
        "" => None,
        "1" => (kind == Kind::Gauge).then(|| "ratio".to_owned()),
        "s" => Some("seconds".to_owned()),
        "ms" => Some("milliseconds".to_owned()),
        "By" => Some("bytes".to_owned()),
        "%" => Some("percent".to_owned()),
        unit if unit.starts_with('{') => None,
        unit => Some(sanitized(unit)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_stands_in_the_name_once() {
        for (name, unit, kind, expected) in [
            ("orders.created", "{order}", Kind::Counter, "orders_created"),
            (
                "process.cpu.time",
                "s",
                Kind::Counter,
                "process_cpu_time_seconds",
            ),
            ("a.seconds", "s", Kind::Gauge, "a_seconds"),
            ("a.total", "", Kind::Counter, "a"),
            ("pool.use", "1", Kind::Gauge, "pool_use_ratio"),
            ("hits", "1", Kind::Counter, "hits"),
            ("memory.rss", "By", Kind::Gauge, "memory_rss_bytes"),
            ("0.day-off", "d", Kind::Gauge, "_0_day_off_d"),
        ] {
            assert_eq!(family(name, unit, kind).0, expected);
        }
    }
}
