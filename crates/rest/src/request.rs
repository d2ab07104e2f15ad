//! A request of HTTP as the message of its method.

use http::{HeaderMap, header};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage, Value};
use serde_json::Value as Json;

use crate::{
    problem::Problem,
    query,
    route::{Body, FieldPath, Route},
    value::{self, Mistakes, refuse},
};

const LAST_EVENT_ID: &str = "last-event-id";

/// What comes beside the body.
#[derive(Debug)]
pub(crate) struct Head {
    /// Decoded parameters of the path, by name.
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
}

/// # Errors
/// `INVALID_FIELD` with every mistake.
pub(crate) fn message(
    route: &Route,
    head: &Head,
    body: Option<Json>,
) -> Result<DynamicMessage, Problem> {
    let mut message = DynamicMessage::new(route.method.descriptor.input());
    let mut mistakes = Mistakes::new();
    from_body(route, &mut message, body, &mut mistakes);
    from_path(route, &mut message, head, &mut mistakes);
    from_query(
        route,
        &mut message,
        &query::parse(&head.query)?,
        &mut mistakes,
    );
    from_last_event_id(route, &mut message, &head.headers, &mut mistakes);
    from_preconditions(route, &mut message, &head.headers, &mut mistakes);
    from_prefer(&mut message, &head.headers);
    match mistakes.is_empty() {
        true => Ok(message),
        false => Err(Problem::violations(mistakes)),
    }
}

fn from_body(
    route: &Route,
    message: &mut DynamicMessage,
    body: Option<Json>,
    mistakes: &mut Mistakes,
) {
    match (&route.body, body) {
        (Body::None, _) | (_, None) => {}
        (Body::All, Some(Json::Object(object))) => value::fill(message, "", object, mistakes),
        (Body::Field(field), Some(Json::Object(object))) => {
            let inner = match field.kind() {
                Kind::Message(inner) => inner,
                _ => return refuse(mistakes, "body", "is not a message"),
            };
            let mut inside = DynamicMessage::new(inner);
            value::fill(&mut inside, field.name(), object, mistakes);
            value::put(message, field, Value::Message(inside));
        }
        (_, Some(_)) => refuse(mistakes, "body", "must be an object"),
    }
}

fn from_path(route: &Route, message: &mut DynamicMessage, head: &Head, mistakes: &mut Mistakes) {
    for (name, path) in &route.parameters {
        let text = head.parameters.iter().find(|(given, _)| given == name);
        let Some((_, text)) = text else { continue };
        set(message, path, name, text.clone(), "the path", mistakes);
    }
}

fn from_query(
    route: &Route,
    message: &mut DynamicMessage,
    pairs: &[(String, String)],
    mistakes: &mut Mistakes,
) {
    let descriptor = message.descriptor();
    let in_query = |field: &FieldDescriptor| route.in_query(field);
    for (at, (name, text)) in pairs.iter().enumerate() {
        let field = descriptor.get_field_by_name(name).filter(in_query);
        let Some(field) = field else {
            let known: Vec<_> = descriptor.fields().filter(in_query).collect();
            let known: Vec<_> = known.iter().map(|field| field.name()).collect();
            let expected = match known.is_empty() {
                true => "is not known; this method takes no query".to_owned(),
                false => format!("is not known; parameters are {}", known.join(", ")),
            };
            refuse(mistakes, name, expected);
            continue;
        };
        if field.is_list() {
            append(message, &field, name, text, mistakes);
        } else if pairs.iter().take(at).any(|(before, _)| before == name) {
            refuse(mistakes, name, "must come only once");
        } else {
            set(
                message,
                &vec![field],
                name,
                text.clone(),
                "the query",
                mistakes,
            );
        }
    }
}

fn append(
    message: &mut DynamicMessage,
    field: &FieldDescriptor,
    name: &str,
    text: &str,
    mistakes: &mut Mistakes,
) {
    match value::of_text(&field.kind(), text.to_owned()) {
        Ok(value) => {
            if let Value::List(list) = message.get_field_mut(field) {
                list.push(value);
            }
        }
        Err(expected) => refuse(mistakes, name, expected),
    }
}

/// Sets a value deep inside a message. What the body said of it must be the
/// same.
fn set(
    message: &mut DynamicMessage,
    path: &FieldPath,
    name: &str,
    text: String,
    place: &str,
    mistakes: &mut Mistakes,
) {
    let Some((field, inside)) = path.split_first() else {
        return;
    };
    // Only then: looking for writing makes a field present.
    if !inside.is_empty() {
        if let Value::Message(inner) = message.get_field_mut(field) {
            set(inner, &inside.to_vec(), name, text, place, mistakes);
        }
        return;
    }
    let value = match value::of_text(&field.kind(), text) {
        Ok(value) => value,
        Err(expected) => return refuse(mistakes, name, expected),
    };
    if let Some(other) = value::rival(message, field) {
        refuse(
            mistakes,
            &other,
            format!("must not come together with {name} in {place}"),
        );
    } else if message.has_field(field) && *message.get_field(field) != value {
        refuse(
            mistakes,
            name,
            format!("must be what {place} says, or be left out"),
        );
    } else {
        value::put(message, field, value);
    }
}

/// A browser that comes back sends the last `id` it saw, and the URL that it
/// began with: the `id` counts.
fn from_last_event_id(
    route: &Route,
    message: &mut DynamicMessage,
    headers: &HeaderMap,
    mistakes: &mut Mistakes,
) {
    let field = message.descriptor().get_field_by_name("after_sequence");
    let (Some(field), Some(last)) = (
        field.filter(|_| route.is_stream()),
        headers.get(LAST_EVENT_ID),
    ) else {
        return;
    };
    // What the service would refuse, it has to see.
    let is_good = message.get_field(&field).as_i64() >= Some(0);
    if last.is_empty() || !is_good {
        return;
    }
    let text = last.to_str().unwrap_or_default();
    match value::of_text(&field.kind(), text.to_owned()) {
        Ok(value) => value::put(message, &field, value),
        Err(expected) => refuse(mistakes, LAST_EVENT_ID, expected),
    }
}

/// `If-Match` is the `etag` of the request. A condition that could not be
/// kept is refused and not passed over.
fn from_preconditions(
    route: &Route,
    message: &mut DynamicMessage,
    headers: &HeaderMap,
    mistakes: &mut Mistakes,
) {
    if !route.method.mutating {
        return;
    }
    for name in [
        header::IF_NONE_MATCH,
        header::IF_MODIFIED_SINCE,
        header::IF_UNMODIFIED_SINCE,
    ] {
        if headers.contains_key(&name) {
            refuse(mistakes, name.as_str(), "cannot be kept here; use If-Match");
        }
    }
    let mut tags = headers.get_all(header::IF_MATCH).iter();
    let Some(tag) = tags.next() else { return };
    let tag = tag.to_str().ok().filter(|_| tags.next().is_none());
    match (&route.etag, tag.map(str::trim)) {
        (None, _) => refuse(mistakes, "if-match", "cannot be kept by this method"),
        (Some(_), Some("*")) => {}
        (Some(path), Some(tag)) => match strong(tag) {
            Some(tag) => set(message, path, "etag", tag.to_owned(), "If-Match", mistakes),
            None => refuse(
                mistakes,
                "if-match",
                "must be one strong entity tag such as \"3\", or *",
            ),
        },
        (Some(_), None) => refuse(mistakes, "if-match", "must be one entity tag"),
    }
}

/// What is between the quotes.
fn strong(tag: &str) -> Option<&str> {
    let inside = tag.strip_prefix('"')?.strip_suffix('"')?;
    (!inside.is_empty() && !inside.contains('"')).then_some(inside)
}

/// `Prefer: respond-async` (RFC 7240) asks a method that can wait not to.
fn from_prefer(message: &mut DynamicMessage, headers: &HeaderMap) {
    if !prefers_async(headers) {
        return;
    }
    if let Some((field, value)) = can_accept(message).filter(|(field, _)| !message.has_field(field))
    {
        value::put(message, &field, value);
    }
}

pub(crate) fn prefers_async(headers: &HeaderMap) -> bool {
    let all = headers.get_all("prefer").iter();
    let all = all.filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(','))
        .any(|wish| wish.trim().eq_ignore_ascii_case("respond-async"))
}

/// The field `wait` and its value that ends in `_ACCEPTED`.
pub(crate) fn can_accept(message: &DynamicMessage) -> Option<(FieldDescriptor, Value)> {
    let field = message.descriptor().get_field_by_name("wait")?;
    let Kind::Enum(values) = field.kind() else {
        return None;
    };
    let accepted = values
        .values()
        .find(|value| value.name().ends_with("_ACCEPTED"))?;
    let number = accepted.number();
    Some((field, Value::EnumNumber(number)))
}
