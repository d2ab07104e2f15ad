//! Names that are one word where that is enough: two messages of the same name
//! get their package in front.

use std::collections::BTreeMap;

use prost_reflect::DescriptorPool;

pub struct Names(BTreeMap<String, usize>);

impl Names {
    pub fn of(pool: &DescriptorPool) -> Self {
        let mut counts = BTreeMap::new();
        let messages = pool.all_messages().map(|one| one.name().to_owned());
        let enums = pool.all_enums().map(|one| one.name().to_owned());
        for name in messages.chain(enums) {
            *counts.entry(name).or_default() += 1;
        }
        Self(counts)
    }

    pub fn of_type(&self, package: &str, name: &str) -> String {
        match self.0.get(name) {
            Some(2..) => {
                let package = package.trim_start_matches("cartwright.");
                format!("{}{name}", capital(package.split('.').next().unwrap_or("")))
            }
            _ => name.to_owned(),
        }
    }
}

pub fn capital(text: &str) -> String {
    changed(text, |first| first.to_ascii_uppercase())
}

pub fn small(text: &str) -> String {
    changed(text, |first| first.to_ascii_lowercase())
}

fn changed(text: &str, change: fn(&char) -> char) -> String {
    let first = text.chars().take(1);
    first
        .map(|first| change(&first))
        .chain(text.chars().skip(1))
        .collect()
}
