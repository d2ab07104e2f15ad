//! Every statement of the workspace, as its sources have it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::meaning;

const FIRST_WORDS: [&str; 6] = ["select", "insert", "update", "delete", "with", "lock"];

#[test]
fn each_statement_of_the_shop_means_a_table_that_it_names() {
    let tables = tables();
    assert!(tables.contains("orders"), "{tables:?}");
    let statements = statements();
    assert!(statements.len() > 100, "{}", statements.len());
    for text in statements {
        let found = meaning(&text);
        assert!(!["OTHER", "WITH"].contains(&found.operation), "{text}");
        let mut words = text.split(|one: char| !one.is_alphanumeric() && one != '_');
        let names_one = words.any(|word| tables.contains(word));
        match found.table {
            Some(table) => assert!(tables.contains(table), "{table}: {text}"),
            None => assert!(!names_one, "{text}"),
        }
    }
}

/// Those that migrations create, and others that are there anyway.
fn tables() -> BTreeSet<String> {
    let migrations = files("migrations", "sql").into_iter();
    let mut tables: BTreeSet<String> = migrations
        .flat_map(|file| {
            let text = fs::read_to_string(file).unwrap();
            let created = text.split("create table ").skip(1);
            let names = created.filter_map(|rest| rest.split_whitespace().next());
            names.map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    let others = ["_sqlx_migrations", "pg_prepared_xacts", "pg_stat_activity"];
    tables.extend(others.map(str::to_owned));
    tables
}

fn statements() -> Vec<String> {
    let mut all = Vec::new();
    for file in files("src", "rs") {
        let text = fs::read_to_string(&file).unwrap();
        if text.contains("sqlx::query") {
            all.extend(texts(&code_of(&text)));
        }
    }
    let begins = |text: &String| {
        let first = text.split_whitespace().next();
        first.is_some_and(|word| FIRST_WORDS.contains(&word))
    };
    all.retain(begins);
    all
}

/// Without its unit tests and comments, which may have quotes of their own.
fn code_of(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap();
    let lines = code.lines();
    let lines = lines.filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The string literals; those of one `concat!` together, with an `x` for what is
/// none.
fn texts(code: &str) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let mut goes_on = false;
    for (place, part) in code.split('"').enumerate() {
        if place % 2 == 0 {
            goes_on = goes_on && is_between(part);
        } else if goes_on {
            let text = texts.last_mut().unwrap();
            text.push_str(" x ");
            text.push_str(part);
        } else {
            texts.push(part.to_owned());
            goes_on = true;
        }
    }
    texts
}

/// Between two literals of a `concat!` are commas and names of macros.
fn is_between(part: &str) -> bool {
    let dense: String = part.split_whitespace().collect();
    !dense.contains([';', '{', '}', '.', '=']) && !dense.contains("))")
}

/// All files of this kind below this folder of each crate.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for one in fs::read_dir(crates).unwrap() {
        collect(&one.unwrap().path().join(folder), &mut files);
    }
    files.retain(|file| file.extension().is_some_and(|own| own == extension));
    files
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
