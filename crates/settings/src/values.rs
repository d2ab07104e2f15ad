//! What was read, key by key, to be compared with what is read later.

use std::{cell::RefCell, collections::BTreeMap, fmt};

use crate::{
    Key,
    tree::{Node, Origin, Value},
};

/// Stands for a text that must not be shown.
const HIDDEN: &str = "***";
/// Stands for a value that is not written down anywhere.
const DEFAULT: &str = "(default)";

/// The values that were set, by their keys. It holds secrets and prints none.
#[derive(Clone, Default, PartialEq)]
pub struct Values(BTreeMap<String, Set>);

#[derive(Clone, PartialEq)]
struct Set {
    text: String,
    is_from_secret_file: bool,
}

/// A key whose value is another one than before, as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub key: String,
    /// `***` for a secret.
    pub old: String,
    pub new: String,
    /// The running process takes it over.
    pub reload: bool,
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Values {
    /// What `newer` has changed, in order of keys. `keys` are all there are.
    pub fn changes(&self, newer: &Values, keys: &[Key]) -> Vec<Change> {
        let mut all: Vec<&String> = self.0.keys().chain(newer.0.keys()).collect();
        all.sort();
        all.dedup();
        let changed = all
            .into_iter()
            .filter(|&key| self.0.get(key) != newer.0.get(key));
        changed
            .filter_map(|key| {
                let about = keys.iter().find(|about| about.path == *key);
                let (old, new) = (self.0.get(key), newer.0.get(key));
                // Nothing but the place where it is written.
                if old.map(|set| &set.text) == new.map(|set| &set.text) {
                    return None;
                }
                Some(Change {
                    key: key.clone(),
                    old: shown(old, about),
                    new: shown(new, about),
                    reload: about.is_some_and(|about| about.reload),
                })
            })
            .collect()
    }
}

fn shown(set: Option<&Set>, key: Option<&Key>) -> String {
    let Some(set) = set else {
        let default = key.and_then(|key| key.default.clone());
        return default.unwrap_or_else(|| DEFAULT.to_owned());
    };
    let has_credentials = set.text.contains("://") && set.text.contains('@');
    let is_secret = key.is_none_or(|key| key.secret);
    if set.is_from_secret_file || has_credentials || is_secret {
        return HIDDEN.to_owned();
    }
    set.text.clone()
}

/// One reading of a source.
pub(crate) struct Reading<'a> {
    pub(crate) prefix: &'a str,
    seen: RefCell<Values>,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(prefix: &'a str) -> Self {
        let seen = RefCell::default();
        Self { prefix, seen }
    }

    pub(crate) fn note(&self, path: &[String], node: &Node) {
        if let Some(text) = text(&node.value) {
            let is_from_secret_file = matches!(node.origin, Origin::SecretFile(_));
            let set = Set {
                text,
                is_from_secret_file,
            };
            self.seen.borrow_mut().0.insert(path.join("."), set);
        }
    }

    pub(crate) fn finish(self) -> Values {
        self.seen.into_inner()
    }
}

/// `None` for a section, whose keys stand for themselves.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Empty | Value::Table(_) => None,
        Value::Null => Some(String::new()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Int(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Text(text) => Some(text.clone()),
        Value::List(items) => {
            let items = items.iter().map(|item| match &item.value {
                Value::Table(table) => {
                    let fields = table.iter();
                    let fields = fields.map(|(key, node)| {
                        format!("{key}={}", text(&node.value).unwrap_or_default())
                    });
                    format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
                }
                value => text(value).unwrap_or_default(),
            });
            Some(items.collect::<Vec<_>>().join(", "))
        }
    }
}
