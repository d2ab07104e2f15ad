//! Who may know whom, and how long a file may grow. The rules of
//! ARCHITECTURE.md, as far as a program can check them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::{DependencyKind, MetadataCommand};
use e2e::checkout;

const SERVICES: [&str; 3] = ["order-service", "payment-service", "inventory-service"];

/// Tests of all: nobody may know them.
const KNOWS_ALL: [&str; 4] = ["chaos", "e2e", "fuzz-targets", "simulation"];

/// What each part may know of the workspace. Parts stay apart where they can.
const PARTS: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("settings", &[]),
    ("failpoint", &[]),
    ("batch", &["telemetry"]),
    ("telemetry", &[]),
    ("listener", &[]),
    ("health", &["listener"]),
    ("api", &["types"]),
    ("database", &["failpoint", "telemetry"]),
    ("audit", &["database"]),
    (
        "idempotency",
        &["audit", "database", "failpoint", "telemetry", "types"],
    ),
    ("redis-connection", &[]),
    ("limits", &["redis-connection", "telemetry"]),
    (
        "outbox",
        &["database", "failpoint", "redis-connection", "telemetry"],
    ),
    ("auth", &[]),
    ("gauges", &["telemetry"]),
    ("process", &["auth", "health", "settings", "telemetry"]),
    (
        "rpc",
        &[
            "api",
            "audit",
            "idempotency",
            "listener",
            "telemetry",
            "types",
        ],
    ),
    ("rest", &["api", "telemetry"]),
    (
        "edge",
        &[
            "api",
            "auth",
            "limits",
            "listener",
            "redis-connection",
            "rest",
            "rpc",
            "telemetry",
        ],
    ),
    ("load", &["api", "rpc"]),
    ("testkit", &["database", "telemetry"]),
    ("trace-store", &["listener"]),
    (
        "payment-simulator",
        &[
            "batch",
            "health",
            "listener",
            "process",
            "settings",
            "telemetry",
            "types",
        ],
    ),
];

/// The lines that a file may have: past that it wants a wall along the domain.
const MAX_LINES: usize = 400;
const MAX_MAIN_LINES: usize = 60;

/// Rooms without a name of their own collect what belongs elsewhere.
const NO_NAMES: [&str; 5] = ["utils", "helpers", "common", "misc", "manager"];

/// What the files of a layer must not mention.
const LAYERS: [(&str, &[&str]); 5] = [
    (
        "domain",
        &[
            "sqlx",
            "tokio",
            "tonic",
            "api::",
            "crate::store",
            "crate::app",
            "crate::grpc",
            "crate::worker",
            "Utc::now",
            "SystemTime",
            "Instant::now",
            "rand::",
        ],
    ),
    (
        "store",
        &[
            "crate::app",
            "crate::grpc",
            "crate::worker",
            "api::",
            ".begin(",
            ".commit(",
        ],
    ),
    ("app", &["crate::grpc", "crate::http", "crate::worker"]),
    ("grpc", &["crate::store", "sqlx"]),
    ("worker", &["crate::grpc"]),
];

#[test]
fn services_know_only_parts_and_parts_stay_apart() {
    let metadata = MetadataCommand::new()
        .manifest_path(checkout().join("Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap();
    let members: BTreeSet<String> = metadata
        .packages
        .iter()
        .map(|package| package.name.to_string())
        .collect();
    let parts: BTreeMap<&str, &[&str]> = PARTS.iter().copied().collect();
    let mut wrong = Vec::new();
    for package in &metadata.packages {
        let name = package.name.as_str();
        for dependency in &package.dependencies {
            let knows = dependency.name.as_str();
            if !members.contains(knows) || KNOWS_ALL.contains(&name) {
                continue;
            }
            let for_tests = dependency.kind == DependencyKind::Development;
            let allowed = match parts.get(name) {
                Some(allowed) => allowed.contains(&knows),
                None => {
                    parts.contains_key(knows) && knows != "testkit" && knows != "payment-simulator"
                }
            };
            let in_tests = for_tests && !SERVICES.contains(&knows) && !KNOWS_ALL.contains(&knows);
            if !allowed && !in_tests {
                wrong.push(format!("{name} -> {knows}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "dependencies that the architecture forbids: {wrong:#?}"
    );
}

#[test]
fn every_layer_of_a_service_knows_only_the_layers_below() {
    let mut wrong = Vec::new();
    for service in SERVICES {
        let src = checkout().join("crates").join(service).join("src");
        for (layer, forbidden) in LAYERS {
            for file in rust_files(&src.join(layer)) {
                let code = code_of(&fs::read_to_string(&file).unwrap());
                for word in forbidden.iter().filter(|word| code.contains(**word)) {
                    wrong.push(format!("{} mentions `{word}`", shown(&file)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_stay_short_and_rooms_have_names() {
    let mut wrong = Vec::new();
    let files = rust_files(&checkout().join("crates"));
    assert!(files.len() > 100, "the sources are where they were");
    for file in files
        .iter()
        .filter(|file| !file.components().any(|part| part.as_os_str() == "gen"))
    {
        let lines = fs::read_to_string(file).unwrap().lines().count();
        let name = file.file_name().unwrap().to_str().unwrap();
        let in_tests = file.components().any(|part| part.as_os_str() == "tests");
        let most = if name == "main.rs" && !in_tests {
            MAX_MAIN_LINES
        } else {
            MAX_LINES
        };
        if lines > most {
            wrong.push(format!(
                "{} has {lines} lines, more than {most}",
                shown(file)
            ));
        }
        for room in file.iter().filter_map(|part| part.to_str()) {
            let room = room.trim_end_matches(".rs");
            if NO_NAMES.contains(&room) {
                wrong.push(format!("{}: `{room}` says nothing", shown(file)));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn all_services_have_the_same_rooms() {
    for service in SERVICES {
        let src = checkout().join("crates").join(service).join("src");
        for room in ["domain", "store", "app", "grpc"] {
            assert!(src.join(room).is_dir(), "{service} has no {room}/");
        }
        assert!(src.join("main.rs").is_file(), "{service} has no main.rs");
    }
}

/// A crate that forgets to take the workspace's lints may use `unsafe`.
#[test]
fn no_crate_may_use_unsafe_code() {
    let workspace = fs::read_to_string(checkout().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("unsafe_code = \"forbid\""));
    let crates = fs::read_dir(checkout().join("crates")).unwrap();
    let mut manifests = vec![checkout().join("fuzz/Cargo.toml")];
    manifests.extend(crates.map(|entry| entry.unwrap().path().join("Cargo.toml")));
    let mut wrong = Vec::new();
    for manifest in manifests.iter().filter(|manifest| manifest.is_file()) {
        let text = fs::read_to_string(manifest).unwrap();
        let taken = text.contains("[lints]\nworkspace = true");
        // A workspace of its own has lints of its own.
        if !taken && !text.contains("[lints.rust]\nunsafe_code = \"forbid\"") {
            wrong.push(shown(manifest));
        }
    }
    assert!(
        wrong.is_empty(),
        "without the workspace's lints: {wrong:#?}"
    );
    assert!(manifests.len() > 15, "the crates are where they were");
}

/// The code of a file without its unit tests and comments.
fn code_of(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn shown(file: &Path) -> String {
    file.strip_prefix(checkout())
        .unwrap_or(file)
        .display()
        .to_string()
}
