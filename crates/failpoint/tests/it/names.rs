//! What is named in the code is what is listed.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use failpoint::{BUGS, NAMES};

#[test]
fn every_point_is_listed_once_in_order_and_is_in_the_code() {
    assert!(NAMES.is_sorted_by(|one, next| one < next), "{NAMES:?}");
    let listed: BTreeSet<String> = NAMES.iter().map(|&name| name.to_owned()).collect();
    let mut used: BTreeSet<String> = calls("reached").into_iter().map(|[name, _]| name).collect();
    for [thing, what] in calls("around") {
        used.extend(["before", "after"].map(|when| format!("{thing}.{when}_{what}")));
    }
    let differ: Vec<_> = listed.symmetric_difference(&used).collect();
    assert!(differ.is_empty(), "only listed, or only used: {differ:#?}");
}

#[test]
fn every_point_says_whose_it_is_and_on_which_side_of_what() {
    for name in NAMES {
        let parts: Vec<&str> = name.split('.').collect();
        let [whose, thing, side] = parts[..] else {
            panic!("{name}: not <service or crate>.<thing>.<side>")
        };
        let owners = [whose.to_owned(), format!("{whose}-service")];
        let is_ours = owners.iter().any(|owner| crates().join(owner).is_dir());
        assert!(is_ours && !thing.is_empty(), "{name}");
        let what = side.strip_prefix("before_").or(side.strip_prefix("after_"));
        assert!(what.is_some_and(|what| !what.is_empty()), "{name}");
    }
}

#[test]
fn every_bug_is_listed_once_and_is_in_the_code() {
    let listed: BTreeSet<String> = BUGS.iter().map(|bug| bug.name.to_owned()).collect();
    assert_eq!(listed.len(), BUGS.len());
    let used: BTreeSet<String> = calls("planted").into_iter().map(|[name, _]| name).collect();
    assert_eq!(listed, used);
}

#[test]
fn a_bug_names_programs_and_points_that_exist() {
    for bug in BUGS {
        assert!(!bug.programs.is_empty(), "{}", bug.name);
        for program in bug.programs {
            assert!(crates().join(program).is_dir(), "{}: {program}", bug.name);
        }
        for point in bug.points {
            assert!(NAMES.contains(point), "{}: {point}", bug.name);
        }
    }
}

/// The first two literals of each use of a macro in the code of all crates; the
/// second is empty where there is none.
fn calls(of: &str) -> Vec<[String; 2]> {
    let start = format!("failpoint::{of}!(");
    let mut found = Vec::new();
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        for arguments in text.split(&start).skip(1) {
            let first = literal(arguments);
            let (name, rest) =
                first.unwrap_or_else(|| panic!("{}: {of}! has no name", file.display()));
            let second = rest.trim_start().strip_prefix(',').and_then(literal);
            let second = second.map_or("", |(literal, _)| literal);
            found.push([name.to_owned(), second.to_owned()]);
        }
    }
    assert!(!found.is_empty(), "the code is where it was");
    found
}

fn literal(text: &str) -> Option<(&str, &str)> {
    text.trim_start().strip_prefix('"')?.split_once('"')
}

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Of all crates but this one, which only explains.
fn sources() -> Vec<PathBuf> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(crates()).unwrap() {
        let path = entry.unwrap().path();
        if !path.ends_with("failpoint") {
            gather(&path.join("src"), &mut sources);
        }
    }
    sources
}

fn gather(folder: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            gather(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}
