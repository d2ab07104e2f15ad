//! Who speaks: the same in every span, metric and record that leaves.
//!
//! Never a command line, which may hold a secret, and nothing of who is logged in.

mod container;
mod host;
mod kubernetes;

use opentelemetry::KeyValue;
use opentelemetry_sdk::{Resource, resource::TelemetryResourceDetector};
use percent_encoding::percent_decode_str;

use crate::{Service, variables::Variables};

const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";

/// What is found here, then what the deployment says of it, which wins.
pub(crate) fn detect(service: &Service<'_>, variables: &Variables) -> Resource {
    let container = container::id();
    let is_contained = container.is_some();
    let container = container.map(|id| KeyValue::new("container.id", id));
    let name = variables.text("OTEL_SERVICE_NAME");
    Resource::builder_empty()
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_attributes(of_service(service))
        .with_attributes(host::attributes(is_contained))
        .with_attributes(of_process())
        .with_attributes(container)
        .with_attributes(kubernetes::attributes(variables))
        .with_attributes(from_variable(variables))
        .with_attributes(name.map(|name| KeyValue::new("service.name", name)))
        .build()
}

fn of_service(service: &Service<'_>) -> [KeyValue; 5] {
    let environment = service.environment.to_owned();
    [
        KeyValue::new("service.name", service.name),
        KeyValue::new("service.namespace", "cartwright"),
        KeyValue::new("service.version", service.version),
        KeyValue::new("service.instance.id", uuid::Uuid::now_v7().to_string()),
        KeyValue::new("deployment.environment.name", environment),
    ]
}

fn of_process() -> Vec<KeyValue> {
    let executable = std::env::current_exe().ok();
    let executable = executable.as_deref().and_then(std::path::Path::file_name);
    let executable = executable.map(|name| name.to_string_lossy().into_owned());
    let mut attributes = vec![
        KeyValue::new("process.pid", i64::from(std::process::id())),
        KeyValue::new("process.runtime.name", "rust"),
        KeyValue::new("process.runtime.version", env!("CARGO_PKG_RUST_VERSION")),
    ];
    attributes.extend(executable.map(|name| KeyValue::new("process.executable.name", name)));
    attributes
}

/// `a=1,b=2` with the values percent-encoded. One that cannot be read makes all
/// of them void, as the specification wants it.
fn from_variable(variables: &Variables) -> Vec<KeyValue> {
    let Some(list) = variables.text(ATTRIBUTES) else {
        return Vec::new();
    };
    let pairs = list
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty());
    let attributes: Option<Vec<KeyValue>> = pairs.map(attribute).collect();
    attributes.unwrap_or_else(|| {
        variables.refuse(ATTRIBUTES, &list, "no attribute of it");
        Vec::new()
    })
}

fn attribute(pair: &str) -> Option<KeyValue> {
    let (key, value) = pair.split_once('=')?;
    let key = percent_decode_str(key.trim()).decode_utf8().ok()?;
    let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
    let is_name = !key.is_empty();
    is_name.then(|| KeyValue::new(key.into_owned(), value.into_owned()))
}

#[cfg(test)]
mod tests {
    use opentelemetry::Key;

    use super::*;

    const SERVICE: Service<'static> = Service {
        name: "order-service",
        version: "1.2.3",
        environment: "test",
    };

    fn detected(pairs: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        let resource = detect(&SERVICE, &Variables::of(pairs));
        move |name| {
            let value = resource.get(&Key::from(name.to_owned()))?;
            Some(value.as_str().into_owned())
        }
    }

    #[test]
    fn a_process_knows_its_service_its_host_and_itself() {
        let get = detected(&[]);
        assert_eq!(get("service.name").unwrap(), "order-service");
        assert_eq!(get("service.namespace").unwrap(), "cartwright");
        assert_eq!(get("deployment.environment.name").unwrap(), "test");
        let own = std::process::id().to_string();
        assert_eq!(get("process.pid").unwrap(), own);
        assert_eq!(get("telemetry.sdk.language").unwrap(), "rust");
        assert!(
            get("process.executable.name")
                .unwrap()
                .contains("telemetry")
        );
        for name in ["os.type", "host.arch", "service.instance.id"] {
            assert!(!get(name).unwrap().is_empty(), "{name}");
        }
        assert_eq!(get("process.command_line"), None);
    }

    #[test]
    fn the_deployment_has_the_last_word() {
        let get = detected(&[
            ("K8S_POD_NAME", "order-1"),
            ("K8S_NAMESPACE_NAME", "shop"),
            (
                ATTRIBUTES,
                "service.name=other, k8s.pod.name=order-2,team=a%2Cb",
            ),
            ("OTEL_SERVICE_NAME", "orders"),
        ]);
        assert_eq!(get("service.name").unwrap(), "orders");
        assert_eq!(get("k8s.pod.name").unwrap(), "order-2");
        assert_eq!(get("k8s.namespace.name").unwrap(), "shop");
        assert_eq!(get("team").unwrap(), "a,b");
    }

    #[test]
    fn a_list_with_a_mistake_in_it_counts_for_nothing_and_is_told() {
        let variables = Variables::of(&[(ATTRIBUTES, "team=a,what")]);
        assert_eq!(from_variable(&variables), []);
        assert_eq!(variables.wrong()[0].variable, ATTRIBUTES);
    }
}
