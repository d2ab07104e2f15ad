//! What comes in the path, the query and the headers.

use api::contract::{Http, Method};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Value, json};

use crate::{
    comments, examples,
    rules::Rules,
    schema::{Schemas, Shape, integer_of_url, set},
};

/// The names in a template, for example `item.sku`.
pub fn names(template: &str) -> Vec<String> {
    let parts = template.split('/');
    let names = parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names.map(str::to_owned).collect()
}

/// What a parameter is called in the document: tools trip over names with dots.
pub fn label(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Fields of the request that the template gives, and those that exclude them.
pub fn given(input: &MessageDescriptor, http: &Http) -> Vec<String> {
    let mut given = Vec::new();
    for name in names(&http.template) {
        let Some(field) = input.get_field_by_name(&name) else {
            continue;
        };
        let rivals = field
            .containing_oneof()
            .filter(|oneof| !oneof.is_synthetic());
        let rivals = rivals.map(|oneof| oneof.fields().map(|one| one.name().to_owned()).collect());
        given.extend(rivals.unwrap_or_else(|| vec![name]));
    }
    given
}

pub fn find(input: &MessageDescriptor, path: &str) -> Option<FieldDescriptor> {
    match path.split_once('.') {
        None => input.get_field_by_name(path),
        Some((name, rest)) => {
            let field = input.get_field_by_name(name)?;
            find(field.kind().as_message()?, rest)
        }
    }
}

pub fn of(method: &Method, http: &Http, schemas: &mut Schemas) -> Vec<Value> {
    let input = method.descriptor.input();
    let mut all = Vec::new();
    for name in names(&http.template) {
        if let Some(field) = find(&input, &name) {
            let rules = Rules {
                required: true,
                ..schemas.rules(&field)
            };
            all.push(one(label(&name), "path", &field, &rules, schemas));
        }
    }
    if http.body.is_none() {
        let given = given(&input, http);
        for field in input
            .fields()
            .filter(|field| !given.iter().any(|one| one == field.name()))
        {
            let rules = schemas.rules(&field);
            all.push(one(field.name(), "query", &field, &rules, schemas));
        }
    }
    all.extend(headers(method, http, &input));
    all
}

fn one(
    name: &str,
    place: &str,
    field: &FieldDescriptor,
    rules: &Rules,
    schemas: &mut Schemas,
) -> Value {
    let schema = match field.kind() {
        Kind::Int32 | Kind::Int64 => integer_of_url(field, rules),
        _ => {
            let mut schema = schemas.described(field, Shape::Request, rules);
            if let Some(object) = schema.as_object_mut() {
                object.remove("description");
            }
            schema
        }
    };
    let mut parameter = json!({
        "name": name,
        "in": place,
        "required": rules.required,
        "schema": schema,
        "description": comments::of(&field.parent_file(), field.path()),
    });
    if rules.format.as_deref() != Some("uuid") {
        set(
            &mut parameter,
            "example",
            examples::of_field(field, rules, schemas),
        );
    }
    parameter
}

fn headers(method: &Method, http: &Http, input: &MessageDescriptor) -> Vec<Value> {
    let mut all = Vec::new();
    if method.keyed {
        all.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": true,
            "description": "Your own name for this call: the same key with the same request acts once and answers the same.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$" },
            "example": "example-1",
        }));
    }
    if method.mutating && takes_etag(input, http) {
        all.push(json!({
            "name": "If-Match",
            "in": "header",
            "required": false,
            "description": "Only if the resource has not changed since it was read: its `ETag`.",
            "schema": { "oneOf": [
                { "type": "string", "pattern": "^\"[0-9]{1,18}\"$", "minLength": 3, "maxLength": 20 },
                { "type": "string", "enum": ["*"] },
            ] },
            "example": "\"3\"",
        }));
    }
    let is_stream = method.descriptor.is_server_streaming();
    if is_stream && input.get_field_by_name("after_sequence").is_some() {
        all.push(json!({
            "name": "Last-Event-ID",
            "in": "header",
            "required": false,
            "description": "The `id` of the last event that was seen; counts more than `after_sequence`. Browsers send it by themselves.",
            "schema": { "type": "integer", "format": "int64", "minimum": 0, "maximum": i64::MAX },
        }));
    }
    all
}

pub fn takes_etag(input: &MessageDescriptor, http: &Http) -> bool {
    let body = http.body.as_deref().unwrap_or("*");
    find(input, "etag").is_some() || find(input, &format!("{body}.etag")).is_some()
}
