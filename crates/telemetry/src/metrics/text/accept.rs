//! Which format a scraper likes better.

use super::Format;

/// Quality decides, then the order; what we cannot write does not count.
pub(super) fn best(accept: &str) -> Format {
    let mut best = (0.0, Format::Prometheus);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let format = match parts.next() {
            Some("application/openmetrics-text") => Format::OpenMetrics,
            Some("text/plain" | "text/*" | "*/*") => Format::Prometheus,
            _ => continue,
        };
        let parameters: Vec<&str> = parts.collect();
        if !is_ours(format, &parameters) {
            continue;
        }
        let quality = parameters.iter().find_map(|part| part.strip_prefix("q="));
        let quality = quality.map_or(1.0, |text| text.parse().unwrap_or(0.0));
        if quality > best.0 {
            best = (quality, format);
        }
    }
    best.1
}

fn is_ours(format: Format, parameters: &[&str]) -> bool {
    let version = parameters.iter().find_map(|p| p.strip_prefix("version="));
    match (format, version) {
        (_, None) => true,
        (Format::OpenMetrics, Some(version)) => version == "1.0.0",
        (Format::Prometheus, Some(version)) => version == "0.0.4",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prometheus_itself_gets_openmetrics() {
        let accept = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
            application/openmetrics-text;version=0.0.1;q=0.4,\
            text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
            text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        assert_eq!(best(accept), Format::OpenMetrics);
    }

    #[test]
    fn who_does_not_ask_for_openmetrics_gets_plain_text() {
        for accept in [
            "",
            "*/*",
            "text/html,application/xml;q=0.9",
            "text/plain, application/openmetrics-text;q=0.5",
            "application/openmetrics-text;version=2.0.0",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=x",
        ] {
            assert_eq!(best(accept), Format::Prometheus, "{accept}");
        }
    }
}
