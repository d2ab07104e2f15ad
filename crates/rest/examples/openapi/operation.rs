//! One operation: a method at one of its places.

use api::contract::{Audience, Http, Method};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Value, json};

use crate::{
    answers::REFUSALS,
    comments, examples,
    names::{capital, small},
    parameters,
    schema::{Schemas, Shape},
};

pub fn of(method: &Method, http: &Http, schemas: &mut Schemas) -> Value {
    let descriptor = &method.descriptor;
    let about = comments::of(&descriptor.parent_file(), descriptor.path());
    let mut operation = json!({
        "operationId": id(method, http),
        "tags": [descriptor.parent_service().name()],
        "summary": comments::summary(&about, descriptor.name()),
        "description": format!("{about}\n\n{}", access(method)),
        "security": [{ "bearer": [method.scope] }],
        "parameters": parameters::of(method, http, schemas),
        "responses": responses(method, http, schemas),
    });
    if let Some(body) = body(method, http, schemas) {
        operation["requestBody"] = body;
    }
    operation
}

/// `createOrder`; methods that all services have get the service's name.
pub fn id(method: &Method, http: &Http) -> String {
    let name = method.descriptor.name();
    let service = method.descriptor.parent_service();
    let service = service.name().trim_end_matches("Service");
    let name = match name {
        "RunAudit" | "ListAuditEntries" => format!("{service}{name}"),
        name => name.to_owned(),
    };
    let by = match method.http.iter().position(|one| one == http) {
        Some(1..) => {
            let names = parameters::names(&http.template);
            let words = names.iter().flat_map(|name| name.split(['_', '.']));
            format!("By{}", words.map(capital).collect::<String>())
        }
        _ => String::new(),
    };
    small(&format!("{name}{by}"))
}

fn access(method: &Method) -> String {
    let scope = &method.scope;
    match method.audience {
        Audience::Everybody => format!("Needs the scope `{scope}`."),
        Audience::Owner => format!(
            "Needs the scope `{scope}`; customers reach what is theirs, holders of `customers:any` everything."
        ),
        Audience::Staff => format!("Needs the scopes `{scope}` and `customers:any`."),
    }
}

/// What the body does not hold: it comes in the path or in `If-Match`.
fn elsewhere(input: &MessageDescriptor, http: &Http) -> Vec<String> {
    let mut names = parameters::given(input, http);
    if parameters::takes_etag(input, http) {
        names.push("etag".to_owned());
    }
    if let Some(field) = http.body.as_deref().filter(|body| *body != "*") {
        let inside = parameters::names(&http.template);
        let prefix = format!("{field}.");
        names.extend(
            inside
                .iter()
                .filter_map(|name| name.strip_prefix(&prefix).map(str::to_owned)),
        );
    }
    names
}

fn body(method: &Method, http: &Http, schemas: &mut Schemas) -> Option<Value> {
    let input = method.descriptor.input();
    let without = elsewhere(&input, http);
    let message = match http.body.as_deref()? {
        "*" => input,
        field => input.get_field_by_name(field)?.kind().as_message()?.clone(),
    };
    let schema = schemas.object(&message, Shape::Request, &without);
    let is_required = schema.get("required").is_some() || http.body.as_deref() != Some("*");
    let schema = schemas.insert(&format!("{}Body", method.descriptor.name()), schema);
    let example = examples::of_message(&message, &without, schemas);
    Some(json!({
        "required": is_required,
        "content": { "application/json": { "schema": schema, "example": example } },
    }))
}

fn responses(method: &Method, http: &Http, schemas: &mut Schemas) -> Value {
    let mut responses = json!({});
    let status = match method.created {
        Some(_) => "201",
        None => "200",
    };
    responses[status] = success(method, schemas);
    for (status, name, _) in REFUSALS {
        if can_be(status, method, http) {
            let reference = format!("#/components/responses/{name}");
            responses[status.to_string()] = json!({ "$ref": reference });
        }
    }
    responses
}

fn can_be(status: u16, method: &Method, http: &Http) -> bool {
    let input = method.descriptor.input();
    match status {
        408 | 413 | 415 => http.body.is_some(),
        412 => method.mutating && holds_etag(&input),
        422 => method.mutating || input.get_field_by_name("page_token").is_some(),
        _ => true,
    }
}

/// Itself, or in what it is about: an item, or each item of a batch.
fn holds_etag(message: &MessageDescriptor) -> bool {
    let inside = |field: FieldDescriptor| match field.kind() {
        Kind::Message(inner) => inner.get_field_by_name("etag").is_some(),
        _ => field.name() == "etag",
    };
    message.fields().any(inside)
}

fn success(method: &Method, schemas: &mut Schemas) -> Value {
    let output = method.descriptor.output();
    let about = comments::of(&output.parent_file(), output.path());
    let schema = schemas.message(&output, Shape::Answer);
    if method.descriptor.is_server_streaming() {
        let about = format!(
            "{about} One server-sent event for each message: `data` is the message, `event` says which choice it holds."
        );
        return json!({
            "description": about,
            "content": { "text/event-stream": {} },
            "x-event-data": schema,
        });
    }
    let header = |name: &str| json!({ "$ref": format!("#/components/headers/{name}") });
    let mut headers = json!({});
    if method.mutating {
        headers["Idempotent-Replayed"] = header("Idempotent-Replayed");
    }
    if method.created.is_some() {
        headers["Location"] = header("Location");
    }
    if tagged(&output) {
        headers["ETag"] = header("ETag");
    }
    json!({
        "description": about,
        "headers": headers,
        "content": { "application/json": { "schema": schema } },
    })
}

/// Exactly one resource with a version.
fn tagged(output: &MessageDescriptor) -> bool {
    let tagged = output.fields().filter(|field| {
        let kind = field.kind();
        kind.as_message()
            .is_some_and(|inner| inner.get_field_by_name("etag").is_some())
    });
    let tagged: Vec<_> = tagged.collect();
    matches!(tagged.as_slice(), [one] if !one.is_list())
}
