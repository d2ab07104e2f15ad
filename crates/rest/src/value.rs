//! JSON values and texts of URLs into values of fields, by the proto3 JSON
//! mapping. Stricter than it where a client's mistake would otherwise pass:
//! no `null`, no field twice, enums by name.

use std::collections::BTreeSet;

use chrono::DateTime;
use prost_reflect::{
    DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage, Value,
};
use serde_json::{Map, Value as Json};

use crate::problem::Field;

/// Every mistake of a request.
pub(crate) type Mistakes = Vec<Field>;

const TIMESTAMP: &str = "google.protobuf.Timestamp";
const DURATION: &str = "google.protobuf.Duration";

pub(crate) fn refuse(mistakes: &mut Mistakes, path: &str, expected: impl Into<String>) {
    mistakes.push(Field {
        field: path.to_owned(),
        description: expected.into(),
    });
}

/// A path that leads on: `lines[3]` and `sku` give `lines[3].sku`.
pub(crate) fn join(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    }
}

/// Sets the fields of a message from an object.
pub(crate) fn fill(
    message: &mut DynamicMessage,
    path: &str,
    object: Map<String, Json>,
    mistakes: &mut Mistakes,
) {
    let descriptor = message.descriptor();
    let mut seen = BTreeSet::new();
    for (name, json) in object {
        let Some(field) = named_field(&descriptor, &name) else {
            refuse(mistakes, &join(path, &name), unknown(&descriptor));
            continue;
        };
        let path = join(path, field.name());
        if !seen.insert(field.number()) {
            refuse(mistakes, &path, "must come only once, under one name");
        } else if let Some(other) = rival(message, &field) {
            refuse(
                mistakes,
                &path,
                format!("must not come together with {other}"),
            );
        } else if let Some(value) = of_field(&field, &path, json, mistakes) {
            put(message, &field, value);
        }
    }
}

/// By its name in the proto, or the same in lower camel case.
pub(crate) fn named_field(descriptor: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    let field = descriptor.get_field_by_name(name);
    field.or_else(|| descriptor.get_field_by_json_name(name))
}

fn unknown(descriptor: &MessageDescriptor) -> String {
    let names: Vec<String> = descriptor
        .fields()
        .map(|field| field.name().to_owned())
        .collect();
    match names.is_empty() {
        true => "is not known; there are no fields here".to_owned(),
        false => format!("is not known; fields are {}", names.join(", ")),
    }
}

/// Another field that is set already and excludes this one.
pub(crate) fn rival(message: &DynamicMessage, field: &FieldDescriptor) -> Option<String> {
    let oneof = field.containing_oneof()?;
    let other = oneof
        .fields()
        .find(|other| other != field && message.has_field(other))?;
    Some(other.name().to_owned())
}

pub(crate) fn put(message: &mut DynamicMessage, field: &FieldDescriptor, value: Value) {
    if let Err(error) = message.try_set_field(field, value) {
        tracing::error!(%error, "a value was made for another type of field");
    }
}

fn of_field(
    field: &FieldDescriptor,
    path: &str,
    json: Json,
    mistakes: &mut Mistakes,
) -> Option<Value> {
    if !field.is_list() {
        return of_kind(&field.kind(), path, json, mistakes);
    }
    let Json::Array(items) = json else {
        refuse(
            mistakes,
            path,
            format!("must be a list, not {}", named(&json)),
        );
        return None;
    };
    let values = items.into_iter().enumerate().map(|(at, item)| {
        let path = format!("{path}[{at}]");
        of_kind(&field.kind(), &path, item, mistakes)
    });
    // Not short of any mistake: all items are looked at.
    let values: Vec<Option<Value>> = values.collect();
    values
        .into_iter()
        .collect::<Option<Vec<_>>>()
        .map(Value::List)
}

fn of_kind(kind: &Kind, path: &str, json: Json, mistakes: &mut Mistakes) -> Option<Value> {
    let shown = named(&json);
    let value = match (kind, json) {
        (Kind::Message(descriptor), json) => return of_message(descriptor, path, json, mistakes),
        (Kind::Bool, Json::Bool(value)) => Ok(Value::Bool(value)),
        (Kind::String, Json::String(text)) => Ok(Value::String(text)),
        (Kind::Enum(descriptor), Json::String(name)) => of_name(descriptor, &name),
        (kind, Json::Number(number)) => match whole(&number) {
            Some(number) => of_number(kind, number).ok_or_else(|| expected(kind)),
            None => Err(expected(kind)),
        },
        (kind, Json::String(text)) => match decimal(&text) {
            Some(number) => of_number(kind, number).ok_or_else(|| expected(kind)),
            None => Err(expected(kind)),
        },
        (kind, _) => Err(expected(kind)),
    };
    value
        .map_err(|expected| {
            // What was sent is not repeated: it may be what it must not be.
            let instead = if expected.contains(shown) {
                "another one"
            } else {
                shown
            };
            refuse(mistakes, path, format!("must be {expected}, not {instead}"));
        })
        .ok()
}

/// A text of a URL: a path, a query.
pub(crate) fn of_text(kind: &Kind, text: String) -> Result<Value, String> {
    match kind {
        Kind::String => Ok(Value::String(text)),
        Kind::Bool => match text.as_str() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err("must be true or false".to_owned()),
        },
        Kind::Enum(descriptor) => {
            of_name(descriptor, &text).map_err(|expected| format!("must be {expected}"))
        }
        kind => decimal(&text)
            .and_then(|number| of_number(kind, number))
            .ok_or_else(|| format!("must be {}", expected(kind))),
    }
}

fn of_message(
    descriptor: &MessageDescriptor,
    path: &str,
    json: Json,
    mistakes: &mut Mistakes,
) -> Option<Value> {
    let mut message = DynamicMessage::new(descriptor.clone());
    match (descriptor.full_name(), json) {
        (DURATION, Json::String(text)) => match duration(&text) {
            Some((seconds, nanos)) => parts(&mut message, seconds, nanos),
            None => refuse(
                mistakes,
                path,
                "must be seconds such as \"600s\" or \"1.5s\"",
            ),
        },
        (TIMESTAMP, Json::String(text)) => match DateTime::parse_from_rfc3339(&text) {
            Ok(time) => parts(
                &mut message,
                time.timestamp(),
                time.timestamp_subsec_nanos().cast_signed(),
            ),
            Err(_) => refuse(
                mistakes,
                path,
                "must be a time such as \"2026-01-31T12:00:00Z\"",
            ),
        },
        (DURATION | TIMESTAMP, _) => refuse(mistakes, path, "must be a string"),
        (_, Json::Object(object)) => fill(&mut message, path, object, mistakes),
        (_, json) => {
            refuse(
                mistakes,
                path,
                format!("must be an object, not {}", named(&json)),
            );
        }
    }
    Some(Value::Message(message))
}

fn parts(message: &mut DynamicMessage, seconds: i64, nanos: i32) {
    message.set_field_by_name("seconds", Value::I64(seconds));
    message.set_field_by_name("nanos", Value::I32(nanos));
}

/// `1.5s`: at most nine decimal places and 10,000 years either way.
fn duration(text: &str) -> Option<(i64, i32)> {
    let number = text.strip_suffix('s')?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_fraction =
        (1..=9).contains(&fraction.len()) && fraction.bytes().all(|digit| digit.is_ascii_digit());
    let seconds = i64::try_from(decimal(whole)?).ok()?;
    if !is_fraction || seconds.abs() > 315_576_000_000 {
        return None;
    }
    let nanos: i32 = format!("{fraction:0<9}").parse().ok()?;
    Some((
        seconds,
        if whole.starts_with('-') {
            -nanos
        } else {
            nanos
        },
    ))
}

fn of_name(descriptor: &EnumDescriptor, name: &str) -> Result<Value, String> {
    match descriptor.get_value_by_name(name) {
        Some(value) => Ok(Value::EnumNumber(value.number())),
        None => {
            let names: Vec<String> = descriptor
                .values()
                .map(|value| value.name().to_owned())
                .collect();
            Err(format!("one of {}", names.join(", ")))
        }
    }
}

fn of_number(kind: &Kind, number: i128) -> Option<Value> {
    match kind {
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => number.try_into().ok().map(Value::I32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => number.try_into().ok().map(Value::I64),
        Kind::Uint32 | Kind::Fixed32 => number.try_into().ok().map(Value::U32),
        Kind::Uint64 | Kind::Fixed64 => number.try_into().ok().map(Value::U64),
        _ => None,
    }
}

/// Whole numbers, also when they are written as `1.0` or `1e3`.
fn whole(number: &serde_json::Number) -> Option<i128> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if let Some(number) = number.as_i64() {
        return Some(i128::from(number));
    }
    if let Some(number) = number.as_u64() {
        return Some(i128::from(number));
    }
    let float = number.as_f64()?;
    let is_exact = float.fract() == 0.0 && float.abs() <= EXACT;
    #[allow(
        clippy::cast_possible_truncation,
        reason = "it is whole and small enough"
    )]
    is_exact.then_some(float as i128)
}

/// Decimal digits in their one form: no `+`, no zeros in front.
fn decimal(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_one_form = text == "0" || !digits.starts_with('0');
    let is_number =
        (1..=20).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
    (is_one_form && is_number)
        .then(|| text.parse().ok())
        .flatten()
}

fn expected(kind: &Kind) -> String {
    let text = match kind {
        Kind::Bool => "true or false",
        Kind::String => "a string",
        Kind::Bytes => "a string of base64",
        Kind::Enum(_) => "the name of a value",
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => "a whole number of 32 bits",
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            "a whole number of 64 bits, or a string of one"
        }
        Kind::Uint32 | Kind::Fixed32 => "a whole number of 32 bits, 0 or more",
        Kind::Uint64 | Kind::Fixed64 => "a whole number of 64 bits, 0 or more",
        Kind::Double | Kind::Float => "a number",
        Kind::Message(_) => "an object",
    };
    text.to_owned()
}

fn named(json: &Json) -> &'static str {
    match json {
        Json::Null => "null; leave the field out",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}
