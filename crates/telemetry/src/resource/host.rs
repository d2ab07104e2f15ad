//! The machine.

use std::{env::consts, fs};

use opentelemetry::KeyValue;

/// A container has the id of its machine, if any, by accident only.
pub(super) fn attributes(is_contained: bool) -> Vec<KeyValue> {
    let mut attributes = vec![
        KeyValue::new("os.type", system(consts::OS)),
        KeyValue::new("host.arch", architecture(consts::ARCH)),
    ];
    let name = line_of("/proc/sys/kernel/hostname");
    attributes.extend(name.map(|name| KeyValue::new("host.name", name)));
    if !is_contained {
        let id = line_of("/etc/machine-id");
        attributes.extend(id.map(|id| KeyValue::new("host.id", id)));
    }
    attributes
}

fn line_of(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

/// In the words of the semantic conventions.
fn system(name: &'static str) -> &'static str {
    match name {
        "macos" => "darwin",
        other => other,
    }
}

fn architecture(name: &'static str) -> &'static str {
    match name {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "arm" => "arm32",
        "powerpc64" => "ppc64",
        other => other,
    }
}
