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
    pub need: Need,
    /// Never shown; belongs into a secret file.
    pub secret: bool,
    /// Changes are taken over by the running process.
    pub reload: bool,
    /// The documentation, in one line.
    pub about: String,
    /// The documentation of the section that it is in.
    pub section: String,
}

/// Whether the settings are good without a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Optional,
    /// Not where its section is.
    WithSection,
    Always,
}

impl Key {
    /// The section that it is in; empty for the top level.
    pub fn parent(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(parent, _)| parent)
    }

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
    let (mut keys, schema) = (Vec::new(), schema::<T>());
    let top = Section {
        schema: &schema,
        path: "",
        about: String::new(),
        default: None,
        reload: false,
        need: Need::Always,
    };
    collect(&top, &mut keys);
    sort(&mut keys);
    keys
}

/// By section, then by name; the top level comes first.
pub fn sort(keys: &mut [Key]) {
    keys.sort_by(|a, b| (a.parent(), &a.path).cmp(&(b.parent(), &b.path)));
}

/// What the keys of a section take from it.
struct Section<'a> {
    schema: &'a Value,
    path: &'a str,
    about: String,
    /// What holds where the section is absent.
    default: Option<&'a Value>,
    reload: bool,
    need: Need,
}

fn collect(section: &Section<'_>, keys: &mut Vec<Key>) {
    let fields = section.schema.get("properties").and_then(Value::as_object);
    for (name, field) in fields.into_iter().flatten() {
        let path = match section.path {
            "" => name.clone(),
            at => format!("{at}.{name}"),
        };
        let (inner, is_optional) = content(field);
        let from_section = section.default.and_then(|default| default.get(name));
        let default = from_section.or_else(|| field.get("default"));
        let default = default.filter(|default| !default.is_null());
        let reload = section.reload || is_marked(field, RELOAD) || is_marked(inner, RELOAD);
        let is_required = is_required(section.schema, name) && !is_optional;
        if inner.get("properties").is_some() {
            let is_there = is_required || (default.is_none() && !is_optional);
            let section = Section {
                schema: inner,
                path: &path,
                about: about(field).or_else(|| about(inner)).unwrap_or_default(),
                default,
                reload,
                need: if is_there {
                    section.need
                } else {
                    Need::WithSection
                },
            };
            collect(&section, keys);
            continue;
        }
        let default = default.and_then(written);
        keys.push(Key {
            kind: kind(inner),
            need: match is_required && default.is_none() {
                true => section.need,
                false => Need::Optional,
            },
            secret: is_secret(name, field, inner),
            reload,
            about: about(field).or_else(|| about(inner)).unwrap_or_default(),
            section: section.about.clone(),
            path,
            default,
        });
    }
}

fn is_secret(name: &str, field: &Value, inner: &Value) -> bool {
    let of_type = |name| inner.get("type").is_some_and(|kind| names_type(kind, name));
    let sounds_secret = SECRETS.iter().any(|word| name.contains(word));
    is_marked(field, SECRET) || (sounds_secret && (of_type("string") || of_type("array")))
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
        } else if is_secret(name, field, inner) {
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
