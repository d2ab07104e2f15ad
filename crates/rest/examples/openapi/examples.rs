//! Examples that work against the catalogue of `make up`, from the rules of
//! the fields.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use crate::{rules::Rules, schema::Schemas};

/// Any id does, where the caller makes it.
const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// What is required, and what says an example.
pub fn of_message(message: &MessageDescriptor, without: &[String], schemas: &Schemas) -> Value {
    let mut object = Map::new();
    for field in message.fields() {
        let rules = schemas.rules(&field);
        let is_shown = rules.required || rules.example.is_some();
        if !is_shown || without.iter().any(|name| name == field.name()) {
            continue;
        }
        if let Some(value) = of_field(&field, &rules, schemas) {
            object.insert(field.name().to_owned(), value);
        }
    }
    Value::Object(object)
}

pub fn of_field(field: &FieldDescriptor, rules: &Rules, schemas: &Schemas) -> Option<Value> {
    let value = match (field.kind(), &rules.example) {
        (Kind::Message(message), Some(text)) if message.name() == "Duration" => json!(text),
        (Kind::Message(message), _) => of_message(&message, &[], schemas),
        (Kind::Int32 | Kind::Int64, Some(text)) => json!(text.parse::<i64>().ok()?),
        (_, Some(text)) => json!(text),
        (_, None) if rules.format.as_deref() == Some("uuid") => json!(ID),
        (_, None) => return None,
    };
    Some(match field.is_list() {
        true => json!([value]),
        false => value,
    })
}
