//! Messages as JSON Schema, in three shapes: as a request has to be, as an
//! item of a batch may be, and as an answer is.

use std::collections::BTreeMap;

use prost_reflect::{DescriptorPool, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use crate::{comments, names::Names, range, rules::Rules};

/// Free text holds no control characters.
const FREE_TEXT: &str = r"^[^\x00-\x1f\x7f-\x9f]*$";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Every rule holds.
    Request,
    /// Types only: an item that breaks a rule gets an error of its own.
    BatchItem,
    Answer,
}

pub struct Schemas {
    pub pool: DescriptorPool,
    names: Names,
    all: BTreeMap<String, Value>,
}

impl Schemas {
    pub fn new(pool: &DescriptorPool, names: Names) -> Self {
        let mut all = BTreeMap::new();
        all.insert("Problem".to_owned(), crate::answers::problem(pool));
        Self {
            pool: pool.clone(),
            names,
            all,
        }
    }

    pub fn finish(self) -> BTreeMap<String, Value> {
        self.all
    }

    pub fn rules(&self, field: &FieldDescriptor) -> Rules {
        Rules::of(&self.pool, field)
    }

    pub fn insert(&mut self, name: &str, schema: Value) -> Value {
        self.all.insert(name.to_owned(), schema);
        reference(name)
    }

    /// A reference to the schema of a message.
    pub fn message(&mut self, message: &MessageDescriptor, shape: Shape) -> Value {
        match message.full_name() {
            "google.protobuf.Timestamp" => {
                return json!({ "type": "string", "format": "date-time" });
            }
            "google.protobuf.Duration" => {
                return json!({ "type": "string", "pattern": r"^(0|-?[1-9][0-9]{0,10})([.][0-9]{1,9})?s$" });
            }
            "google.rpc.Status" => return reference("Problem"),
            _ => {}
        }
        let name = self.names.of_type(message.package_name(), message.name());
        let name = match shape {
            Shape::Request => format!("{name}Input"),
            Shape::BatchItem => format!("{name}InBatch"),
            Shape::Answer => name,
        };
        if !self.all.contains_key(&name) {
            self.all.insert(name.clone(), Value::Null);
            let schema = self.object(message, shape, &[]);
            self.all.insert(name.clone(), schema);
        }
        reference(&name)
    }

    /// The schema of a message without some fields.
    pub fn object(
        &mut self,
        message: &MessageDescriptor,
        shape: Shape,
        without: &[String],
    ) -> Value {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for field in message.fields() {
            if without.iter().any(|name| name == field.name()) {
                continue;
            }
            let rules = self.rules(&field);
            if match shape {
                Shape::Request => rules.required,
                Shape::BatchItem => false,
                Shape::Answer => !field.supports_presence(),
            } {
                required.push(field.name().to_owned());
            }
            let shape = match (shape, is_batch_item(message)) {
                (Shape::Request, true) => Shape::BatchItem,
                (shape, _) => shape,
            };
            let schema = self.described(&field, shape, &rules);
            properties.insert(field.name().to_owned(), schema);
        }
        let mut schema = json!({ "type": "object", "properties": properties });
        let about = comments::of(&message.parent_file(), message.path());
        if !about.is_empty() {
            schema["description"] = json!(about);
        }
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        if shape != Shape::Answer {
            schema["additionalProperties"] = json!(false);
        }
        schema
    }

    /// The schema of a field with its comment.
    pub fn described(&mut self, field: &FieldDescriptor, shape: Shape, rules: &Rules) -> Value {
        let mut schema = self.field(field, shape, rules);
        let about = comments::of(&field.parent_file(), field.path());
        if !about.is_empty() {
            schema["description"] = json!(about);
        }
        schema
    }

    fn field(&mut self, field: &FieldDescriptor, shape: Shape, rules: &Rules) -> Value {
        let value = self.value(field, shape, rules);
        if !field.is_list() {
            return value;
        }
        let mut list = json!({ "type": "array", "items": value });
        if shape == Shape::Request {
            set(&mut list, "minItems", rules.min_items);
            set(&mut list, "maxItems", rules.max_items);
        }
        list
    }

    #[expect(clippy::panic, reason = "a program for developers")]
    fn value(&mut self, field: &FieldDescriptor, shape: Shape, rules: &Rules) -> Value {
        let is_strict = shape == Shape::Request;
        match field.kind() {
            Kind::Bool => json!({ "type": "boolean" }),
            Kind::String if is_strict && rules.format.as_deref() == Some("currency") => {
                let about = "Currencies of ISO 4217 that have a minor unit.";
                let codes = json!({ "type": "string", "enum": currencies(), "description": about });
                self.insert("CurrencyCode", codes)
            }
            Kind::String => text(if is_strict {
                rules.clone()
            } else {
                Rules::default()
            }),
            Kind::Int32 => integer(shape, rules, i64::from(i32::MIN), i64::from(i32::MAX)),
            Kind::Int64 if shape == Shape::Answer => {
                json!({ "type": "string", "format": "int64", "pattern": "^-?[0-9]+$" })
            }
            Kind::Int64 => integer(shape, rules, i64::MIN, i64::MAX),
            Kind::Enum(values) => self.enumeration(&values, is_strict && rules.required),
            Kind::Message(message) if is_strict && message.name() == "Duration" => {
                json!({ "type": "string", "pattern": rules.pattern })
            }
            Kind::Message(message) if is_strict && message.name() == "Money" => {
                self.money(&message, rules)
            }
            Kind::Message(message) => self.message(&message, shape),
            other => panic!("no schema for {other:?} of {}", field.full_name()),
        }
    }

    /// Money whose amount has limits of its own.
    fn money(&mut self, message: &MessageDescriptor, limits: &Rules) -> Value {
        let mut schema = self.object(message, Shape::Request, &[]);
        let Some(field) = message.get_field_by_name("minor_units") else {
            return schema;
        };
        let rules = Rules {
            minimum: limits.minimum,
            maximum: limits.maximum,
            required: limits.minimum.is_some_and(|least| least > 0),
            ..self.rules(&field)
        };
        schema["properties"]["minor_units"] = self.described(&field, Shape::Request, &rules);
        if rules.required {
            schema["required"] = json!(["currency_code", "minor_units"]);
        }
        schema
    }

    fn enumeration(&mut self, values: &EnumDescriptor, without_zero: bool) -> Value {
        let name = self.names.of_type(values.package_name(), values.name());
        let all: Vec<_> = values.values().collect();
        let names = |least: i32| -> Vec<String> {
            let values = all.iter().filter(|value| value.number() >= least);
            values.map(|value| value.name().to_owned()).collect()
        };
        let lines: Vec<String> = all
            .iter()
            .map(|value| {
                let about = comments::of(&value.parent_enum().parent_file(), value.path());
                format!("- `{}`: {about}", value.name())
            })
            .collect();
        let about = comments::of(&values.parent_file(), values.path());
        let about = format!("{about}\n\n{}", lines.join("\n"));
        if without_zero {
            return json!({ "type": "string", "enum": names(1), "description": about });
        }
        let schema = json!({ "type": "string", "enum": names(i32::MIN), "description": about });
        self.insert(&name, schema)
    }
}

/// Such items stand alone, each with its own answer.
fn is_batch_item(message: &MessageDescriptor) -> bool {
    message.get_field_by_name("idempotency_key").is_some()
        && message.get_field_by_name("request").is_some()
}

pub fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

pub fn text(rules: Rules) -> Value {
    let mut schema = json!({ "type": "string" });
    set(&mut schema, "format", rules.format);
    let is_free = rules.max_length.is_some() && rules.pattern.is_none();
    let pattern = rules.pattern.or(is_free.then(|| FREE_TEXT.to_owned()));
    set(&mut schema, "pattern", pattern);
    set(&mut schema, "minLength", rules.min_length);
    set(&mut schema, "maxLength", rules.max_length);
    schema
}

/// In requests a number may also come as a string: proto3 JSON wants that.
fn integer(shape: Shape, rules: &Rules, least: i64, most: i64) -> Value {
    let format = if most == i64::MAX { "int64" } else { "int32" };
    let is_strict = shape == Shape::Request;
    let least = rules.minimum.filter(|_| is_strict).unwrap_or(least);
    let most = rules.maximum.filter(|_| is_strict).unwrap_or(most);
    if shape == Shape::Answer {
        return json!({ "type": "integer", "format": format });
    }
    let mut schema = json!({
        "type": ["integer", "string"],
        "format": format,
        "minimum": least,
        "maximum": most,
        "pattern": range::pattern(least, most),
    });
    if is_strict && rules.format.as_deref() == Some("nonzero") {
        schema["not"] = json!({ "enum": [0, "0"] });
    }
    schema
}

/// Text of a URL is either a number or not one.
pub fn integer_of_url(field: &FieldDescriptor, rules: &Rules) -> Value {
    let (format, least, most) = match field.kind() {
        Kind::Int32 => ("int32", i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => ("int64", i64::MIN, i64::MAX),
    };
    json!({
        "type": "integer",
        "format": format,
        "minimum": rules.minimum.unwrap_or(least),
        "maximum": rules.maximum.unwrap_or(most),
    })
}

fn currencies() -> Vec<String> {
    let letters = || ('A'..='Z').map(String::from);
    let codes = letters().flat_map(|a| letters().map(move |b| format!("{a}{b}")));
    let codes = codes.flat_map(|ab| letters().map(move |c| format!("{ab}{c}")));
    codes
        .filter(|code| types::Currency::parse(code).is_ok())
        .collect()
}

pub fn set(schema: &mut Value, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        schema[key] = value.into();
    }
}
