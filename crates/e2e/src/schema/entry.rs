//! One mapping of the file, taken apart key by key: what is left over at the
//! end is a mistake.

use std::collections::BTreeMap;

use yaml_rust2::{Yaml, yaml::Hash};

pub(super) struct Entry<'a> {
    /// Where it stands, for the message of a mistake.
    place: String,
    rest: BTreeMap<&'a str, &'a Yaml>,
}

impl<'a> Entry<'a> {
    pub(super) fn of(place: &str, value: &'a Yaml) -> Self {
        let pairs = pairs(place, value);
        Self {
            place: place.to_owned(),
            rest: pairs.into_iter().collect(),
        }
    }

    /// A mapping of names to entries, which must be sorted.
    pub(super) fn section<T>(
        &mut self,
        key: &str,
        read: impl Fn(&mut Entry<'_>) -> T,
    ) -> BTreeMap<String, T> {
        let pairs = pairs(key, self.must(key));
        for two in pairs.windows(2) {
            assert!(
                two[0].0 < two[1].0,
                "{key}: {} belongs above {}",
                two[1].0,
                two[0].0
            );
        }
        let entries = pairs.into_iter().map(|(name, value)| {
            let mut entry = Entry::of(&format!("{key}: {name}"), value);
            let one = read(&mut entry);
            entry.end();
            (name.to_owned(), one)
        });
        entries.collect()
    }

    fn must(&mut self, key: &str) -> &'a Yaml {
        let value = self.rest.remove(key);
        value.unwrap_or_else(|| panic!("{}: `{key}` is missing", self.place))
    }

    /// A number is the text that it is written as.
    pub(super) fn text(&mut self, key: &str) -> String {
        let value = self.must(key);
        text(value).unwrap_or_else(|| panic!("{}: `{key}` is no text", self.place))
    }

    /// One text, or a list of texts.
    pub(super) fn texts(&mut self, key: &str) -> Vec<String> {
        let value = self.must(key);
        let texts = match value {
            Yaml::Array(values) => values.iter().map(text).collect(),
            one => text(one).map(|text| vec![text]),
        };
        texts.unwrap_or_else(|| panic!("{}: `{key}` is no list of texts", self.place))
    }

    /// The first choice where the key is not there.
    pub(super) fn one_of(&mut self, key: &str, choices: &[&str]) -> String {
        if !self.rest.contains_key(key) {
            return choices[0].to_owned();
        }
        let chosen = self.text(key);
        let is_known = choices.contains(&chosen.as_str());
        assert!(is_known, "{}: `{key}` is none of {choices:?}", self.place);
        chosen
    }

    pub(super) fn flag(&mut self, key: &str) -> bool {
        let value = self.rest.remove(key).map(Yaml::as_bool);
        let flag = value.map(|flag| flag.unwrap_or_else(|| panic!("{}: `{key}`", self.place)));
        flag.unwrap_or(false)
    }

    pub(super) fn end(self) {
        let place = self.place;
        let left: Vec<_> = self.rest.into_keys().collect();
        assert!(left.is_empty(), "{place}: unknown: {left:?}");
    }
}

fn pairs<'a>(place: &str, value: &'a Yaml) -> Vec<(&'a str, &'a Yaml)> {
    let hash: &Hash = value
        .as_hash()
        .unwrap_or_else(|| panic!("{place}: no mapping"));
    let name = |key: &'a Yaml| {
        let name = key.as_str();
        name.unwrap_or_else(|| panic!("{place}: {key:?} is no name"))
    };
    hash.iter().map(|(key, value)| (name(key), value)).collect()
}

fn text(value: &Yaml) -> Option<String> {
    match value {
        Yaml::String(text) | Yaml::Real(text) => Some(text.clone()),
        Yaml::Integer(number) => Some(number.to_string()),
        Yaml::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}
