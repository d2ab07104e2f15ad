//! The untyped tree that the file and the environment are merged into. Each
//! value remembers where it came from.

use std::{
    collections::BTreeMap,
    ops::{Deref, DerefMut},
    path::Path,
    sync::Arc,
};

use config::{FileFormat, Format, ValueKind};

use crate::SettingsError;

#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

#[derive(Clone)]
pub(crate) enum Value {
    /// Stands for a section that nobody wrote; see `Source::read`.
    Empty,
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Table(Table),
}

#[derive(Clone, PartialEq)]
pub(crate) enum Origin {
    Nowhere,
    File(Arc<str>),
    Env(String),
    SecretFile(String),
}

impl Origin {
    /// Text from here has no type of its own.
    pub(crate) fn is_untyped(&self) -> bool {
        matches!(self, Self::Env(_) | Self::SecretFile(_))
    }
}

#[derive(Clone, Default)]
pub(crate) struct Table(BTreeMap<String, Node>);

impl Deref for Table {
    type Target = BTreeMap<String, Node>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Table {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl IntoIterator for Table {
    type Item = (String, Node);
    type IntoIter = std::collections::btree_map::IntoIter<String, Node>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Table {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn from_file(path: &Path) -> Result<Self, SettingsError> {
        let name = path.display().to_string();
        let format = match path.extension().and_then(|e| e.to_str()) {
            Some("toml") => FileFormat::Toml,
            Some("yaml" | "yml") => FileFormat::Yaml,
            _ => {
                return Err(SettingsError::file(
                    &name,
                    "the name must end in .toml, .yaml or .yml",
                ));
            }
        };
        let text = std::fs::read_to_string(path)
            .map_err(|error| SettingsError::file(&name, &error.to_string()))?;
        let table = format
            .parse(None, &text)
            .map_err(|error| SettingsError::file(&name, &without_excerpt(&error.to_string())))?;
        let origin = Origin::File(name.into());
        Ok(Self::of(table, &origin))
    }

    fn of(table: impl IntoIterator<Item = (String, config::Value)>, origin: &Origin) -> Self {
        let nodes = table
            .into_iter()
            .map(|(key, value)| (key, Node::of(value, origin)));
        Self(nodes.collect())
    }

    pub(crate) fn override_from_env(
        &mut self,
        prefix: &str,
        env: &[(String, String)],
    ) -> Result<(), SettingsError> {
        let prefix = format!("{prefix}__");
        for (name, value) in env {
            let Some(rest) = name.strip_prefix(&prefix) else {
                continue;
            };
            let path: Vec<String> = rest.split("__").map(str::to_lowercase).collect();
            if path.iter().any(String::is_empty) {
                return Err(SettingsError::variable(name));
            }
            let origin = Origin::Env(name.clone());
            let value = Value::Text(value.clone());
            self.set(&path, Node { value, origin });
        }
        Ok(())
    }

    fn set(&mut self, path: &[String], node: Node) {
        let [key, inner @ ..] = path else { return };
        if inner.is_empty() {
            self.insert(key.clone(), node);
            return;
        }
        let origin = node.origin.clone();
        let entry = self.entry(key.clone()).or_insert_with(|| Node {
            value: Value::Empty,
            origin: origin.clone(),
        });
        if let Value::Table(table) = &mut entry.value {
            table.set(inner, node);
        } else {
            let mut table = Table::new();
            table.set(inner, node);
            let value = Value::Table(table);
            *entry = Node { value, origin };
        }
    }

    /// Puts an empty section at `path`; false if something is there already.
    pub(crate) fn add_empty(&mut self, path: &[String]) -> bool {
        if self.has(path) {
            return false;
        }
        let node = Node {
            value: Value::Empty,
            origin: Origin::Nowhere,
        };
        self.set(path, node);
        true
    }

    fn has(&self, path: &[String]) -> bool {
        match path {
            [] => true,
            [key, inner @ ..] => match self.get(key).map(|node| &node.value) {
                None => false,
                Some(Value::Table(table)) => table.has(inner),
                Some(_) => inner.is_empty(),
            },
        }
    }
}

impl Node {
    fn of(value: config::Value, origin: &Origin) -> Self {
        let value = match value.kind {
            ValueKind::Nil => Value::Null,
            ValueKind::Boolean(flag) => Value::Bool(flag),
            ValueKind::I64(number) => Value::Int(number.into()),
            ValueKind::U64(number) => Value::Int(number.into()),
            ValueKind::I128(number) => Value::Int(number),
            ValueKind::U128(number) => Value::Int(i128::try_from(number).unwrap_or(i128::MAX)),
            ValueKind::Float(number) => Value::Float(number),
            ValueKind::String(text) => Value::Text(text),
            ValueKind::Table(table) => Value::Table(Table::of(table, origin)),
            ValueKind::Array(list) => {
                Value::List(list.into_iter().map(|v| Self::of(v, origin)).collect())
            }
        };
        let origin = origin.clone();
        Self { value, origin }
    }
}

/// Parsers show the line that they reject, which may hold a secret: only where
/// (first line) and why (last line) are kept.
fn without_excerpt(message: &str) -> String {
    let lines: Vec<&str> = message.lines().map(str::trim).collect();
    match lines.as_slice() {
        [first, .., last] => format!("{first}: {last}"),
        _ => message.to_owned(),
    }
}
