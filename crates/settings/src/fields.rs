//! The top-level keys of a settings type, asked of its own `Deserialize`.

use std::cell::Cell;

use serde::{
    Deserializer,
    de::{DeserializeOwned, Visitor, value::Error},
    forward_to_deserialize_any,
};

/// Empty for a type that is not a struct.
pub(crate) fn of<T: DeserializeOwned>() -> &'static [&'static str] {
    let fields = Cell::new([].as_slice());
    // Always an error: the probe has no values to give.
    drop(T::deserialize(Probe(&fields)));
    fields.get()
}

/// Whether `key` is one of `fields`, or names the secret file of one.
pub(crate) fn knows(fields: &[&str], key: &str) -> bool {
    fields.contains(&key) || secret_file_of(fields, key).is_some()
}

/// The field that the key `url_file` stands for, unless it is one itself.
pub(crate) fn secret_file_of<'a>(fields: &[&str], key: &'a str) -> Option<&'a str> {
    let field = key.strip_suffix("_file")?;
    (fields.contains(&field) && !fields.contains(&key)).then_some(field)
}

struct Probe<'a>(&'a Cell<&'static [&'static str]>);

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(serde::de::Error::custom("a probe has no values"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.set(fields);
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
