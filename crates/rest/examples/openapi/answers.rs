//! Answers: the success of each operation, and the problems that all share.

use prost_reflect::DescriptorPool;
use serde_json::{Map, Value, json};

use crate::comments;

/// Status, name and meaning of every refusal.
pub const REFUSALS: [(u16, &str, &str); 15] = [
    (
        400,
        "BadRequest",
        "Something in the request is not what it must be; `fields` names it.",
    ),
    (
        401,
        "Unauthenticated",
        "There is no token, or it is not valid.",
    ),
    (403, "Forbidden", "The token lacks the scope that is named."),
    (
        404,
        "NotFound",
        "There is no such resource, or it is not yours.",
    ),
    (406, "NotAcceptable", "The client takes no JSON."),
    (408, "RequestTimeout", "The body did not come in time."),
    (
        409,
        "Conflict",
        "The state does not allow it, the first call with this key still runs, or somebody else was faster; `reason` tells which.",
    ),
    (
        412,
        "PreconditionFailed",
        "The resource changed since its `ETag` was read.",
    ),
    (413, "ContentTooLarge", "The body is too long."),
    (
        415,
        "UnsupportedMediaType",
        "The body is not `application/json`.",
    ),
    (
        422,
        "Unprocessable",
        "The values do not go together: the idempotency key was used for another request, the page token is of another list, currencies differ, or a sum is too large.",
    ),
    (
        429,
        "TooManyRequests",
        "The caller's rate is used up, or the service sheds load.",
    ),
    (
        500,
        "Internal",
        "A bug. The log has its cause under the trace id.",
    ),
    (
        503,
        "Unavailable",
        "A store, a peer or the payment provider cannot be reached.",
    ),
    (
        504,
        "DeadlineExceeded",
        "The time was over; a change may still be made, the same key tells.",
    ),
];

pub fn shared() -> Value {
    let all = REFUSALS.iter().map(|(status, name, about)| {
        let mut response = json!({
            "description": about,
            "content": {
                "application/problem+json": {
                    "schema": { "$ref": "#/components/schemas/Problem" },
                },
            },
        });
        if matches!(status, 409 | 429 | 503) {
            response["headers"] =
                json!({ "Retry-After": { "$ref": "#/components/headers/Retry-After" } });
        }
        if *status == 401 {
            response["headers"] =
                json!({ "WWW-Authenticate": { "$ref": "#/components/headers/WWW-Authenticate" } });
        }
        ((*name).to_owned(), response)
    });
    Value::Object(all.collect::<Map<_, _>>())
}

pub fn headers() -> Value {
    let text = |about: &str| json!({ "description": about, "schema": { "type": "string" } });
    json!({
        "ETag": { "description": "The version of the resource.", "schema": { "type": "string", "pattern": "^\"[0-9]+\"$" } },
        "Location": text("Where the new resource is."),
        "Idempotent-Replayed": { "description": "This is the answer that the same key got before.", "schema": { "type": "string", "enum": ["true"] } },
        "Retry-After": { "description": "Seconds to wait.", "schema": { "type": "integer", "minimum": 1 } },
        "WWW-Authenticate": text("How to authenticate: with a bearer token."),
    })
}

pub fn problem(pool: &DescriptorPool) -> Value {
    let reasons = pool.get_enum_by_name("cartwright.common.v1.ErrorReason");
    let reasons: Vec<_> = reasons
        .iter()
        .flat_map(|reasons| reasons.values())
        .collect();
    let named = |name: &str| name.trim_start_matches("ERROR_REASON_").to_owned();
    let reasons = reasons.iter().filter(|value| value.number() > 0);
    let names: Vec<String> = reasons.clone().map(|value| named(value.name())).collect();
    let lines: Vec<String> = reasons
        .map(|value| {
            let about = comments::of(&value.parent_enum().parent_file(), value.path());
            format!("- `{}`: {about}", named(value.name()))
        })
        .collect();
    let texts = |names: &[&str]| -> Value {
        let properties = names
            .iter()
            .map(|name| ((*name).to_owned(), json!({ "type": "string" })));
        json!({ "type": "object", "required": names, "properties": properties.collect::<Map<_, _>>() })
    };
    json!({
        "type": "object",
        "description": "Why a request was refused (RFC 9457).",
        "required": ["type", "title", "status", "reason", "detail"],
        "properties": {
            "type": { "type": "string", "format": "uri", "description": "One URI for each reason." },
            "title": { "type": "string", "description": "The reason for people." },
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "reason": { "type": "string", "enum": names, "description": format!("The reason for programs; with the code that it has over gRPC:\n\n{}", lines.join("\n")) },
            "detail": { "type": "string", "description": "What happened this time." },
            "fields": { "type": "array", "items": texts(&["field", "description"]), "description": "Each bad part of the request, and what it must be." },
            "preconditions": { "type": "array", "items": texts(&["type", "subject", "description"]), "description": "What stands against it." },
            "metadata": { "type": "object", "additionalProperties": { "type": "string" }, "description": "Details for programs." },
            "resource": texts(&["type", "name"]),
            "retry_after_ms": { "type": "integer", "minimum": 0, "description": "When it may be tried again." },
            "trace_id": { "type": "string", "description": "What to name when you ask for help." },
        },
    })
}
