//! What the protos say of a field: `(cartwright.common.v1.rules)`.

use api::contract;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Value};

#[derive(Debug, Default, Clone)]
pub struct Rules {
    pub required: bool,
    pub min_length: Option<u32>,
    pub max_length: Option<u32>,
    pub pattern: Option<String>,
    pub format: Option<String>,
    pub minimum: Option<i64>,
    pub maximum: Option<i64>,
    pub min_items: Option<u32>,
    pub max_items: Option<u32>,
    pub example: Option<String>,
}

impl Rules {
    pub fn of(pool: &DescriptorPool, field: &FieldDescriptor) -> Self {
        let options = field.options();
        let Some(rules) = contract::option(pool, &options, "cartwright.common.v1.rules") else {
            return Self::default();
        };
        let text = |name| read(&rules, name)?.as_str().map(str::to_owned);
        let count = |name| read(&rules, name)?.as_u32();
        let number = |name| read(&rules, name)?.as_i64();
        Self {
            required: read(&rules, "required").is_some_and(|value| value == Value::Bool(true)),
            min_length: count("min_length"),
            max_length: count("max_length"),
            pattern: text("pattern"),
            format: text("format"),
            minimum: number("minimum"),
            maximum: number("maximum"),
            min_items: count("min_items"),
            max_items: count("max_items"),
            example: text("example"),
        }
    }
}

fn read(rules: &DynamicMessage, name: &str) -> Option<Value> {
    if !rules.has_field_by_name(name) {
        return None;
    }
    rules
        .get_field_by_name(name)
        .map(|value| value.into_owned())
}
