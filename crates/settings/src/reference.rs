//! The keys of a settings type with their documentation, taken from its JSON
//! schema: field docs are the texts, serde's defaults the defaults.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value};

/// On a field or a section: the running process takes changes over.
const RELOAD: &str = "x-reload";
/// On a field: a secret, whatever its name is.
const SECRET: &str = "writeOnly";
/// Names of secrets, or parts of them.
const SECRETS: [&str; 5] = ["secret", "password", "token", "credential", "api_key"];

/// One key of a settings file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// `database.url`
    pub path: String,
    /// What it may be, for people.
    pub kind: String,
    /// As it would be written; `None` where there is none.
    pub default: Option<String>,
    /// Without it the settings are not good.
    pub required: bool,
    /// Never shown; belongs into a secret file.
    pub secret: bool,
    /// Changes are taken over by the running process.
    pub reload: bool,
    /// The documentation, in one line.
    pub about: String,
}

impl Key {
    /// The variable that sets it.
    pub fn variable(&self, prefix: &str) -> String {
        let name = self.path.replace('.', "__").to_uppercase();
        format!("{prefix}__{name}")
    }
}

/// The JSON schema of a settings type, without references.
pub fn schema<T: JsonSchema>() -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().into()
}

/// All keys of a settings type, in order of their names.
pub fn keys<T: JsonSchema>() -> Vec<Key> {
    let mut keys = Vec::new();
    collect(&schema::<T>(), "", &mut keys, false, true);
    sort(&mut keys);
    keys
}

/// By name; keys of the top level stand before sections.
pub fn sort(keys: &mut [Key]) {
    keys.sort_by(|a, b| (depth(a), &a.path).cmp(&(depth(b), &b.path)));
}

fn depth(key: &Key) -> usize {
    usize::from(key.path.contains('.'))
}

fn collect(section: &Value, at: &str, keys: &mut Vec<Key>, reload: bool, needed: bool) {
    let Some(fields) = section.get("properties").and_then(Value::as_object) else {
        return;
    };
    for (name, field) in fields {
        let path = match at {
            "" => name.clone(),
            at => format!("{at}.{name}"),
        };
        let needed = needed && is_required(section, name);
        let reload = reload || is_marked(field, RELOAD);
        let (inner, optional) = content(field);
        if inner.get("properties").is_some() {
            let is_there =
                needed || !(optional || field.get("default").is_some_and(Value::is_null));
            collect(inner, &path, keys, reload, is_there);
        } else {
            keys.push(key(path, name, field, inner, reload, needed && !optional));
        }
    }
}

fn key(
    path: String,
    name: &str,
    field: &Value,
    inner: &Value,
    reload: bool,
    required: bool,
) -> Key {
    let is_text = inner
        .get("type")
        .is_some_and(|kind| names_type(kind, "string"));
    let is_list = inner
        .get("type")
        .is_some_and(|kind| names_type(kind, "array"));
    let sounds_secret = SECRETS.iter().any(|word| name.contains(word));
    let default = field.get("default").and_then(written);
    Key {
        secret: is_marked(field, SECRET) || (sounds_secret && (is_text || is_list)),
        required: required && default.is_none(),
        kind: kind(inner),
        about: about(field).or_else(|| about(inner)).unwrap_or_default(),
        path,
        default,
        reload,
    }
}

fn is_required(section: &Value, name: &str) -> bool {
    let required = section.get("required").and_then(Value::as_array);
    required.is_some_and(|names| names.iter().any(|one| one == name))
}

fn is_marked(field: &Value, mark: &str) -> bool {
    field.get(mark).and_then(Value::as_bool) == Some(true)
}

/// What stands inside of "that or nothing", and whether nothing is allowed.
fn content(field: &Value) -> (&Value, bool) {
    for combination in ["anyOf", "oneOf", "allOf"] {
        let Some(parts) = field.get(combination).and_then(Value::as_array) else {
            continue;
        };
        let is_null = |part: &&Value| part.get("type").is_some_and(|kind| kind == "null");
        let mut others = parts.iter().filter(|part| !is_null(part));
        if let (Some(only), None) = (others.next(), others.next()) {
            return (only, parts.iter().any(|part| is_null(&part)));
        }
    }
    let optional = field
        .get("type")
        .is_some_and(|kind| names_type(kind, "null"));
    (field, optional)
}

fn names_type(kind: &Value, name: &str) -> bool {
    kind == name
        || kind
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one == name))
}

fn kind(schema: &Value) -> String {
    if let Some(choices) = choices(schema) {
        return format!("one of `{}`", choices.join("`, `"));
    }
    let of_type = |name| {
        schema
            .get("type")
            .is_some_and(|kind| names_type(kind, name))
    };
    if of_type("boolean") {
        "`true` or `false`".to_owned()
    } else if of_type("integer") {
        "integer".to_owned()
    } else if of_type("number") {
        "number".to_owned()
    } else if of_type("array") {
        let item = schema.get("items").map(kind);
        format!("list of {}", item.unwrap_or_else(|| "values".to_owned()))
    } else if of_type("object") {
        "table".to_owned()
    } else {
        "text".to_owned()
    }
}

fn choices(schema: &Value) -> Option<Vec<&str>> {
    if let Some(names) = schema.get("enum").and_then(Value::as_array) {
        return Some(names.iter().filter_map(Value::as_str).collect());
    }
    let variants = schema.get("oneOf")?.as_array()?;
    let mut names = Vec::new();
    for variant in variants {
        match (variant.get("const"), choices(variant)) {
            (Some(name), _) => names.extend(name.as_str()),
            (None, Some(more)) => names.extend(more),
            (None, None) => return None,
        }
    }
    Some(names)
}

fn about(schema: &Value) -> Option<String> {
    let text = schema.get("description")?.as_str()?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn written(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Object(_) => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let items = items.iter().filter_map(written);
            Some(items.collect::<Vec<_>>().join(", "))
        }
        other => Some(other.to_string()),
    }
}

/// The schema of a file that holds the keys of several types at its top level,
/// and may name a secret file in the place of each secret.
pub fn file_schema(title: &str, parts: &[Value]) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for part in parts {
        let part = with_secret_files(part.clone());
        if let Some(Value::Object(fields)) = part.get("properties") {
            properties.extend(fields.clone());
        }
        if let Some(Value::Array(names)) = part.get("required") {
            required.extend(names.iter().cloned());
        }
    }
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn with_secret_files(mut section: Value) -> Value {
    let Some(fields) = section.get_mut("properties").and_then(Value::as_object_mut) else {
        return section;
    };
    let mut secrets = Vec::new();
    for (name, field) in fields.iter_mut() {
        let (inner, _) = content(field);
        if inner.get("properties").is_some() {
            *field = with_secret_files(field.take());
        } else if key(String::new(), name, field, inner, false, false).secret {
            secrets.push(name.clone());
        }
    }
    for name in &secrets {
        let about = format!("The file that holds `{name}`.");
        let file = serde_json::json!({"type": "string", "description": about});
        fields.insert(format!("{name}_file"), file);
    }
    if let Some(required) = section.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| !secrets.iter().any(|secret| name == secret));
    }
    section
}
