//! Where a signal goes and how: from the settings, else from the variables.

use std::time::Duration;

use opentelemetry_otlp::Compression;

use super::{Signal, Wishes, tls::Tls};
use crate::{Error, OtlpProtocol, variables::Variables};

/// For one export; a collector that hangs is given up after this.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(super) struct Target {
    pub(super) endpoint: String,
    pub(super) protocol: OtlpProtocol,
    pub(super) timeout: Duration,
    pub(super) compression: Option<Compression>,
    pub(super) tls: Tls,
}

impl Wishes<'_> {
    /// `None`: nowhere, because nobody said where, or because somebody said so.
    pub(super) fn target(&self, signal: Signal) -> Option<Target> {
        if !is_pushed(signal, self.variables) {
            return None;
        }
        let protocol = self.protocol(signal);
        check_headers(signal, self.variables);
        Some(Target {
            endpoint: self.endpoint(signal, protocol)?,
            protocol,
            timeout: timeout(signal, self.variables),
            compression: compression(signal, self.variables),
            tls: Tls::read(signal, self.variables),
        })
    }

    /// Settings that are no good stop the start; variables do not.
    pub(super) fn built<T>(&self, exporter: Result<T, Error>) -> Result<Option<T>, Error> {
        match exporter {
            Ok(exporter) => Ok(Some(exporter)),
            Err(error) if self.settings.otlp_endpoint.is_some() => Err(error),
            Err(_) => {
                // Its user and password may stand in it.
                let name = "OTEL_EXPORTER_OTLP_ENDPOINT";
                self.variables.refuse_unseen(name, "nothing is sent");
                Ok(None)
            }
        }
    }

    fn protocol(&self, signal: Signal) -> OtlpProtocol {
        let known = [
            ("grpc", OtlpProtocol::Grpc),
            ("http/protobuf", OtlpProtocol::HttpProtobuf),
        ];
        let read = |name: &str| self.variables.one_of(name, &known, "grpc");
        let set = self.settings.otlp_protocol;
        set.or_else(|| own_or_general(signal, "PROTOCOL", read))
            .unwrap_or_default()
    }

    /// An endpoint of one signal is taken as it is; to a general one HTTP adds
    /// the path of the signal.
    fn endpoint(&self, signal: Signal, protocol: OtlpProtocol) -> Option<String> {
        let variables = self.variables;
        let general = || variables.text("OTEL_EXPORTER_OTLP_ENDPOINT");
        let own = || variables.text(&own_name(signal, "ENDPOINT"));
        let with_path = |endpoint: String| match protocol {
            OtlpProtocol::Grpc => endpoint,
            OtlpProtocol::HttpProtobuf => {
                format!("{}/v1/{}", endpoint.trim_end_matches('/'), signal.name())
            }
        };
        let set = self.settings.otlp_endpoint.clone().map(with_path);
        let endpoint = set.or_else(own).or_else(|| general().map(with_path))?;
        if endpoint.contains("://") {
            return Some(endpoint);
        }
        let is_true = |name: &str| variables.is_true(name).then_some(());
        let is_plain = own_or_general(signal, "INSECURE", is_true).is_some();
        let scheme = if is_plain { "http" } else { "https" };
        Some(format!("{scheme}://{endpoint}"))
    }
}

/// `OTEL_{SIGNAL}_EXPORTER` is a list. Prometheus reads by itself, and the log is
/// on stderr anyway, so neither needs anything from here.
fn is_pushed(signal: Signal, variables: &Variables) -> bool {
    let name = format!("OTEL_{}_EXPORTER", signal.upper());
    let Some(list) = variables.text(&name) else {
        return true;
    };
    let mut is_pushed = false;
    for exporter in list.split(',').map(str::trim) {
        match (signal, exporter) {
            (_, "otlp") => is_pushed = true,
            (_, "none") | (Signal::Metrics, "prometheus") | (Signal::Logs, "console") => {}
            (_, other) => variables.refuse(&name, other, "nothing, of `otlp` and `none`"),
        }
    }
    is_pushed
}

/// The exporter reads them, and passes over what is none in silence.
fn check_headers(signal: Signal, variables: &Variables) {
    own_or_general(signal, "HEADERS", |name| {
        let list = variables.text(name)?;
        let mut pairs = list.split(',').filter(|pair| !pair.trim().is_empty());
        if !pairs.all(|pair| {
            pair.split_once('=')
                .is_some_and(|(key, _)| !key.trim().is_empty())
        }) {
            variables.refuse_unseen(name, "those of its headers that are `name=value`");
        }
        Some(())
    });
}

fn own_name(signal: Signal, rest: &str) -> String {
    format!("OTEL_EXPORTER_OTLP_{}_{rest}", signal.upper())
}

pub(super) fn own_or_general<T>(
    signal: Signal,
    rest: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    read(&own_name(signal, rest)).or_else(|| read(&format!("OTEL_EXPORTER_OTLP_{rest}")))
}

/// The least of what bounds an export: the exporter's and its processor's.
fn timeout(signal: Signal, variables: &Variables) -> Duration {
    let read = |name: &str| variables.millis_if_set(name, EXPORT_TIMEOUT);
    let of_exporter = own_or_general(signal, "TIMEOUT", read).unwrap_or(EXPORT_TIMEOUT);
    let of_processor = match signal {
        Signal::Traces => "OTEL_BSP_EXPORT_TIMEOUT",
        Signal::Metrics => "OTEL_METRIC_EXPORT_TIMEOUT",
        Signal::Logs => "OTEL_BLRP_EXPORT_TIMEOUT",
    };
    variables.millis(of_processor, of_exporter).min(of_exporter)
}

fn compression(signal: Signal, variables: &Variables) -> Option<Compression> {
    let known = [("gzip", Some(Compression::Gzip)), ("none", None)];
    let read = |name: &str| variables.one_of(name, &known, "none");
    own_or_general(signal, "COMPRESSION", read).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TraceSettings, limits::Limits};

    fn target(
        signal: Signal,
        settings: &TraceSettings,
        pairs: &[(&str, &str)],
    ) -> (Option<Target>, Vec<String>) {
        let variables = &Variables::of(pairs);
        let limits = Limits::read(variables);
        let resource = opentelemetry_sdk::Resource::builder_empty().build();
        let wishes = Wishes {
            settings,
            variables,
            limits,
            resource,
        };
        let target = wishes.target(signal);
        let wrong = variables.wrong();
        (target, wrong.into_iter().map(|w| w.variable).collect())
    }

    #[test]
    fn nothing_is_sent_where_no_endpoint_is_said() {
        let settings = TraceSettings::default();
        assert!(target(Signal::Traces, &settings, &[]).0.is_none());
    }

    #[test]
    fn the_endpoint_of_a_signal_is_taken_as_it_is_and_the_general_one_gets_a_path() {
        let settings = TraceSettings::default();
        let pairs = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4318/base/"),
            ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://logs/here"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "grpc"),
        ];
        let endpoint = |signal| {
            let target = target(signal, &settings, &pairs).0.unwrap();
            (target.endpoint, target.protocol)
        };
        use OtlpProtocol::{Grpc, HttpProtobuf};
        assert_eq!(
            endpoint(Signal::Traces),
            ("http://all:4318/base/v1/traces".to_owned(), HttpProtobuf)
        );
        assert_eq!(
            endpoint(Signal::Logs),
            ("http://logs/here".to_owned(), HttpProtobuf)
        );
        assert_eq!(
            endpoint(Signal::Metrics),
            ("http://all:4318/base/".to_owned(), Grpc)
        );
    }

    #[test]
    fn settings_win_over_variables() {
        let settings = TraceSettings {
            otlp_endpoint: Some("http://set:1".to_owned()),
            otlp_protocol: Some(OtlpProtocol::HttpProtobuf),
            ..TraceSettings::default()
        };
        let pairs = [
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://other:1"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ];
        let target = target(Signal::Traces, &settings, &pairs).0.unwrap();
        assert_eq!(target.endpoint, "http://set:1/v1/traces");
    }

    #[test]
    fn an_endpoint_without_a_scheme_is_safe_unless_it_is_said_to_be_insecure() {
        let settings = TraceSettings::default();
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317");
        let insecure = ("OTEL_EXPORTER_OTLP_INSECURE", "true");
        let safe = target(Signal::Traces, &settings, &[endpoint]).0.unwrap();
        assert_eq!(safe.endpoint, "https://collector:4317");
        let plain = target(Signal::Traces, &settings, &[endpoint, insecure]);
        assert_eq!(plain.0.unwrap().endpoint, "http://collector:4317");
    }

    #[test]
    fn the_shortest_timeout_holds_and_bad_values_are_named() {
        let settings = TraceSettings::default();
        let pairs = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4317"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "9000"),
            ("OTEL_BSP_EXPORT_TIMEOUT", "700"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "brotli"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "token=a=b,secret"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
        ];
        let (traces, wrong) = target(Signal::Traces, &settings, &pairs);
        let traces = traces.unwrap();
        assert_eq!(traces.timeout, Duration::from_millis(700));
        assert_eq!(traces.compression, None);
        assert_eq!(traces.protocol, OtlpProtocol::Grpc);
        assert_eq!(
            wrong,
            [
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
                "OTEL_EXPORTER_OTLP_HEADERS",
                "OTEL_EXPORTER_OTLP_COMPRESSION"
            ]
        );
        let logs = target(Signal::Logs, &settings, &pairs).0.unwrap();
        assert_eq!(logs.timeout, Duration::from_secs(9));
    }

    #[test]
    fn each_signal_can_be_switched_off() {
        let settings = TraceSettings {
            otlp_endpoint: Some("http://set:1".to_owned()),
            ..TraceSettings::default()
        };
        for (signal, name, value, is_sent, is_wrong) in [
            (Signal::Traces, "OTEL_TRACES_EXPORTER", "none", false, false),
            (Signal::Traces, "OTEL_TRACES_EXPORTER", "otlp", true, false),
            (
                Signal::Traces,
                "OTEL_TRACES_EXPORTER",
                "zipkin",
                false,
                true,
            ),
            (Signal::Traces, "OTEL_LOGS_EXPORTER", "none", true, false),
            (
                Signal::Metrics,
                "OTEL_METRICS_EXPORTER",
                "prometheus",
                false,
                false,
            ),
            (
                Signal::Metrics,
                "OTEL_METRICS_EXPORTER",
                "prometheus,otlp",
                true,
                false,
            ),
            (Signal::Logs, "OTEL_LOGS_EXPORTER", "console", false, false),
        ] {
            let (target, wrong) = target(signal, &settings, &[(name, value)]);
            assert_eq!(target.is_some(), is_sent, "{name}={value}");
            assert_eq!(!wrong.is_empty(), is_wrong, "{name}={value}");
        }
    }
}
