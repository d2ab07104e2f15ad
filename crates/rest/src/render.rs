//! Messages as JSON: the proto3 JSON mapping with the names of the proto. All
//! fields are there except messages, options and choices that are not set.
//! A `google.rpc.Status` inside an answer is a problem, as the single call
//! would give it.

use chrono::{DateTime, SecondsFormat, Utc};
use prost_reflect::{DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, ReflectMessage, Value};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::problem::Problem;

/// A message to be written.
pub(crate) struct Rendered<'a>(pub(crate) &'a DynamicMessage);

impl Rendered<'_> {
    pub(crate) fn to_vec(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Serialize for Rendered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.descriptor().full_name() {
            "google.protobuf.Timestamp" => serializer.serialize_str(&timestamp(self.0)),
            "google.protobuf.Duration" => serializer.serialize_str(&duration(self.0)),
            "google.rpc.Status" => match self.0.transcode_to::<tonic_types::pb::Status>() {
                Ok(status) => Problem::from(&status).document().serialize(serializer),
                Err(_) => Problem::internal().document().serialize(serializer),
            },
            _ => fields(self.0, serializer),
        }
    }
}

fn fields<S: Serializer>(message: &DynamicMessage, serializer: S) -> Result<S::Ok, S::Error> {
    let descriptor = message.descriptor();
    let mut map = serializer.serialize_map(None)?;
    for field in descriptor.fields() {
        if field.supports_presence() && !message.has_field(&field) {
            continue;
        }
        let value = message.get_field(&field);
        let value = Shown {
            field: &field,
            value: &value,
        };
        map.serialize_entry(field.name(), &value)?;
    }
    map.end()
}

struct Shown<'a> {
    field: &'a FieldDescriptor,
    value: &'a Value,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::I32(value) => serializer.serialize_i32(*value),
            Value::U32(value) => serializer.serialize_u32(*value),
            // A number of JavaScript does not hold them.
            Value::I64(value) => serializer.collect_str(value),
            Value::U64(value) => serializer.collect_str(value),
            Value::F32(value) => serializer.serialize_f32(*value),
            Value::F64(value) => serializer.serialize_f64(*value),
            Value::String(value) => serializer.serialize_str(value),
            Value::EnumNumber(number) => match self.field.kind() {
                Kind::Enum(values) => serializer.serialize_str(&name(&values, *number)),
                _ => serializer.serialize_i32(*number),
            },
            Value::Message(message) => Rendered(message).serialize(serializer),
            Value::List(values) => {
                let mut list = serializer.serialize_seq(Some(values.len()))?;
                for value in values {
                    list.serialize_element(&Shown {
                        field: self.field,
                        value,
                    })?;
                }
                list.end()
            }
            // The contract has neither.
            Value::Bytes(_) | Value::Map(_) => serializer.serialize_none(),
        }
    }
}

fn name(values: &EnumDescriptor, number: i32) -> String {
    match values.get_value(number) {
        Some(value) => value.name().to_owned(),
        None => number.to_string(),
    }
}

fn parts(message: &DynamicMessage) -> (i64, u32) {
    let number = |name: &str| {
        message
            .get_field_by_name(name)
            .map(|value| value.into_owned())
    };
    let seconds = number("seconds").and_then(|value| value.as_i64());
    let nanos = number("nanos").and_then(|value| value.as_i32());
    (
        seconds.unwrap_or_default(),
        nanos.unwrap_or_default().unsigned_abs(),
    )
}

fn timestamp(message: &DynamicMessage) -> String {
    let (seconds, nanos) = parts(message);
    let time: DateTime<Utc> = DateTime::from_timestamp(seconds, nanos).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn duration(message: &DynamicMessage) -> String {
    let (seconds, nanos) = parts(message);
    match nanos {
        0 => format!("{seconds}s"),
        nanos => format!("{}s", format!("{seconds}.{nanos:09}").trim_end_matches('0')),
    }
}
