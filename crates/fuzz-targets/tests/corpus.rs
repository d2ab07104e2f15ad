//! Each target over each file of its corpus, which holds what real callers
//! send, and what once broke something.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail by panic"
)]

use std::{
    collections::BTreeSet,
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

use fuzz_targets::TARGETS;

const FILES_MIN: usize = 3;
const FILE_BYTES_MAX: u64 = 32 * 1024;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_property_holds_for_the_whole_corpus() {
    let mut broken = Vec::new();
    for (name, target) in TARGETS {
        let inputs = files(&fuzz().join("corpus").join(name));
        assert!(inputs.len() >= FILES_MIN, "{name} has a corpus");
        for input in inputs {
            let bytes = fs::read(&input).unwrap();
            if catch_unwind(|| target(&bytes)).is_err() {
                broken.push(input);
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Cut anywhere, and with each byte changed once: what a careless client or a
/// broken line makes of good input.
#[test]
fn every_property_holds_for_damaged_input() {
    const POSITIONS_MAX: usize = 64;
    for (name, target) in TARGETS {
        for input in files(&fuzz().join("corpus").join(name)) {
            let bytes = fs::read(&input).unwrap();
            let step = bytes.len() / POSITIONS_MAX + 1;
            for at in (0..bytes.len()).step_by(step) {
                target(&bytes[..at]);
                let mut changed = bytes.clone();
                changed[at] ^= 0x80;
                target(&changed);
            }
        }
    }
}

#[test]
fn every_target_has_a_program_for_the_fuzzer_and_nothing_is_left_over() {
    let names: BTreeSet<String> = TARGETS.iter().map(|(name, _)| name.to_string()).collect();
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    let programs: BTreeSet<String> = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("path = \"fuzz_targets/"))
        .map(|line| line.trim_end_matches(".rs\"").to_owned())
        .collect();
    assert_eq!(programs, names);
    let named = |folder: &str, end: &str| -> BTreeSet<String> {
        let files = files(&fuzz().join(folder));
        let names = files.iter().map(|file| file.file_name().unwrap());
        names
            .map(|name| name.to_str().unwrap().trim_end_matches(end).to_owned())
            .collect()
    };
    assert_eq!(named("corpus", ""), names);
    assert_eq!(named("fuzz_targets", ".rs"), names);
    for name in &names {
        let program = fuzz().join(format!("fuzz_targets/{name}.rs"));
        let code = fs::read_to_string(program).unwrap();
        assert!(code.contains(&format!("run(\"{name}\"")), "{name}");
    }
}

#[test]
fn the_corpus_stays_small() {
    for (name, _) in TARGETS {
        for file in files(&fuzz().join("corpus").join(name)) {
            let bytes = fs::metadata(&file).unwrap().len();
            assert!(bytes <= FILE_BYTES_MAX, "{file:?} has {bytes} bytes");
        }
    }
}
