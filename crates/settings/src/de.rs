//! Serde's view of the tree: knows the key of every value, checks the keys of
//! structs and parses text by the type that is asked for.

use serde::{
    Deserializer,
    de::{
        DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
        value::{MapAccessDeserializer, StrDeserializer},
    },
    forward_to_deserialize_any,
};

use crate::{
    SettingsError, fields,
    tree::{Node, Origin, Table, Value},
    values::Reading,
};

type Result<T> = std::result::Result<T, SettingsError>;

/// One value and its key.
pub(crate) struct At<'a> {
    node: Node,
    path: Vec<String>,
    reading: &'a Reading<'a>,
}

impl<'a> At<'a> {
    pub(crate) fn root(node: Node, reading: &'a Reading<'a>) -> Self {
        Self {
            node,
            path: Vec::new(),
            reading,
        }
    }

    fn child(&self, key: &str, node: Node) -> Self {
        let mut path = self.path.clone();
        path.push(key.to_owned());
        Self {
            node,
            path,
            reading: self.reading,
        }
    }

    fn untyped(&self) -> Option<&str> {
        match &self.node.value {
            Value::Text(text) if self.node.origin.is_untyped() => Some(text.trim()),
            _ => None,
        }
    }

    /// Lets `visit` read the value; its errors get this key.
    fn visit<T>(self, visit: impl FnOnce(Self) -> Result<T>) -> Result<T> {
        if matches!(self.node.value, Value::Empty) {
            return Err(SettingsError::missing(self.path, self.reading.prefix));
        }
        let (path, node, prefix) = (self.path.clone(), self.node.clone(), self.reading.prefix);
        visit(self).map_err(|error| error.at(&path, &node, prefix))
    }

    fn number<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.visit(|at| match at.untyped().map(str::parse::<i128>) {
            Some(Ok(number)) => integer(number, visitor),
            Some(Err(_)) => Err(wrong_type(&visitor)),
            None => at.plain(visitor),
        })
    }

    fn float<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.visit(|at| match at.untyped().map(str::parse::<f64>) {
            Some(Ok(number)) => visitor.visit_f64(number),
            Some(Err(_)) => Err(wrong_type(&visitor)),
            None => at.plain(visitor),
        })
    }

    /// The value as what it says it is.
    fn plain<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.node.value {
            Value::Empty | Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(flag),
            Value::Int(number) => integer(number, visitor),
            Value::Float(number) => visitor.visit_f64(number),
            Value::Text(text) => visitor.visit_string(text),
            Value::List(ref list) => {
                let entries = list.iter().enumerate();
                let items = entries.map(|(i, n)| self.child(&i.to_string(), n.clone()));
                visitor.visit_seq(Items(items.collect::<Vec<_>>().into_iter()))
            }
            Value::Table(ref table) => {
                let entries = table.iter().map(|(k, n)| self.child(k, n.clone()));
                visitor.visit_map(Entries::new(entries.collect()))
            }
        }
    }

    /// The keys of a struct, with the contents of secret files in their place.
    fn entries(&self, known: &[&str], table: &Table) -> Result<Vec<At<'a>>> {
        let mut entries: Vec<At<'a>> = Vec::new();
        for (key, node) in table.iter() {
            let entry = if known.contains(&key.as_str()) {
                if shadowed_by_secret_file(table, key, node) {
                    continue;
                }
                self.child(key, node.clone())
            } else if let Some(field) = fields::secret_file_of(known, key) {
                if self.shadowed_by_field(table, field, node)? {
                    continue;
                }
                let node = self.child(key, node.clone()).read_secret_file()?;
                self.child(field, node)
            } else {
                let path = self.child(key, node.clone()).path;
                return Err(SettingsError::unknown(path, known, &node.origin));
            };
            entries.push(entry);
        }
        Ok(entries)
    }

    /// The environment wins over the file; two of one kind contradict.
    fn shadowed_by_field(&self, table: &Table, field: &str, file: &Node) -> Result<bool> {
        match table.get(field) {
            None => Ok(false),
            Some(other) if from_env(other) == from_env(file) => {
                let path = self.child(field, other.clone()).path;
                Err(SettingsError::set_twice(path))
            }
            Some(other) => Ok(from_env(other)),
        }
    }

    fn read_secret_file(self) -> Result<Node> {
        let path = self.path.join(".");
        let Value::Text(name) = self.node.value else {
            return Err(SettingsError::invalid(&path, "expected the name of a file"));
        };
        let text = std::fs::read_to_string(&name)
            .map_err(|error| SettingsError::invalid(&path, format!("{name}: {error}")))?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        Ok(Node {
            value: Value::Text(text.to_owned()),
            origin: Origin::SecretFile(name),
        })
    }
}

fn from_env(node: &Node) -> bool {
    matches!(node.origin, Origin::Env(_))
}

fn shadowed_by_secret_file(table: &Table, field: &str, node: &Node) -> bool {
    table
        .get(&format!("{field}_file"))
        .is_some_and(|file| from_env(file) && !from_env(node))
}

fn wrong_type<'de>(visitor: &impl Visitor<'de>) -> SettingsError {
    serde::de::Error::invalid_type(Unexpected::Other("text"), visitor)
}

fn integer<'de, V: Visitor<'de>>(number: i128, visitor: V) -> Result<V::Value> {
    if let Ok(number) = u64::try_from(number) {
        visitor.visit_u64(number)
    } else if let Ok(number) = i64::try_from(number) {
        visitor.visit_i64(number)
    } else {
        Err(wrong_type(&visitor))
    }
}

macro_rules! numbers {
    ($read:ident: $($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            self.$read(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for At<'_> {
    type Error = SettingsError;

    numbers! { number:
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }

    numbers! { float: deserialize_f32 deserialize_f64 }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.visit(|at| at.plain(visitor))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.visit(|at| match at.untyped().map(str::parse::<bool>) {
            Some(Ok(flag)) => visitor.visit_bool(flag),
            Some(Err(_)) => Err(wrong_type(&visitor)),
            None => at.plain(visitor),
        })
    }

    /// An empty variable says "none": so the environment can take away what
    /// the file gives.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.visit(|at| match at.node.value {
            Value::Null => visitor.visit_none(),
            _ if at.untyped() == Some("") => visitor.visit_none(),
            _ => visitor.visit_some(at),
        })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        // No error may get its key here: an empty section passes through.
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.visit(|at| {
            let Some(text) = at.untyped() else {
                return at.plain(visitor);
            };
            let items = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            let items = items.enumerate().map(|(i, item)| {
                let value = Value::Text(item.to_owned());
                let origin = at.node.origin.clone();
                at.child(&i.to_string(), Node { value, origin })
            });
            visitor.visit_seq(Items(items.collect::<Vec<_>>().into_iter()))
        })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if matches!(self.node.value, Value::Empty | Value::Null) {
            self.node.value = Value::Table(Table::new());
        }
        self.visit(|at| match &at.node.value {
            Value::Table(table) => {
                let entries = at.entries(known, table)?;
                visitor.visit_map(Entries::new(entries))
            }
            _ => Err(SettingsError::invalid_section()),
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.visit(|at| match &at.node.value {
            Value::Text(text) => {
                let name: StrDeserializer<'_, SettingsError> = text.as_str().into_deserializer();
                visitor.visit_enum(name)
            }
            Value::Table(table) => {
                let entries = table.iter().map(|(k, n)| at.child(k, n.clone()));
                let entries = Entries::new(entries.collect());
                visitor.visit_enum(MapAccessDeserializer::new(entries))
            }
            _ => Err(wrong_type(&visitor)),
        })
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct tuple_struct map identifier ignored_any
    }
}

struct Items<'a>(std::vec::IntoIter<At<'a>>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = SettingsError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        self.0.next().map(|item| located(item, seed)).transpose()
    }
}

struct Entries<'a> {
    rest: std::vec::IntoIter<At<'a>>,
    value: Option<At<'a>>,
}

impl<'a> Entries<'a> {
    fn new(entries: Vec<At<'a>>) -> Self {
        Self {
            rest: entries.into_iter(),
            value: None,
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = SettingsError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        self.value = self.rest.next();
        let key = self.value.as_ref().and_then(|entry| entry.path.last());
        let key = key.map(|key| seed.deserialize(key.as_str().into_deserializer()));
        key.transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value> {
        match self.value.take() {
            Some(entry) => {
                entry.reading.note(&entry.path, &entry.node);
                located(entry, seed)
            }
            None => Err(serde::de::Error::custom("a value was asked for twice")),
        }
    }
}

/// Also what a type's own conversion refuses, after the visit, gets its key.
fn located<'de, S: DeserializeSeed<'de>>(at: At<'_>, seed: S) -> Result<S::Value> {
    let (path, node, prefix) = (at.path.clone(), at.node.clone(), at.reading.prefix);
    seed.deserialize(at)
        .map_err(|error| error.at(&path, &node, prefix))
}
