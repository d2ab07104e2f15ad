//! The methods over HTTP, at each of their places.

use std::{collections::BTreeMap, time::Duration};

use api::contract::{Http, Method};
use prost_reflect::{FieldDescriptor, MessageDescriptor, Value};
use reqwest::{Client, Response, StatusCode};
use uuid::Uuid;

use super::{Answer, World, over_grpc};

const PATIENCE: Duration = Duration::from_secs(2);

pub async fn call(
    world: &World,
    method: &Method,
    http: &Http,
    who: &str,
    token: Option<&str>,
) -> Answer {
    let url = url(world, method, http, who);
    let verb = http.verb.parse().unwrap();
    let mut request = Client::new()
        .request(verb, url)
        .header("idempotency-key", Uuid::now_v7().to_string());
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some(part) = &http.body {
        let message = over_grpc::message(world, method, who);
        let whole = serde_json::to_value(message).unwrap();
        request = request.json(match part.as_str() {
            "*" => &whole,
            field => &whole[field],
        });
    }
    answer(request.send().await.unwrap()).await
}

/// With the values of the template, and of no more.
fn url(world: &World, method: &Method, http: &Http, who: &str) -> String {
    let service = method.path.split('.').nth(1).unwrap();
    let input = method.descriptor.input();
    let mut url = world.shop.rest[service].clone();
    let mut rest = http.template.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let (path, after) = after.split_once('}').unwrap();
        let field = field(&input, path);
        let value = over_grpc::value(world, who, &field);
        let value = value.as_ref().and_then(Value::as_str).unwrap_or("some");
        url = url + before + value;
        rest = after;
    }
    url + rest
}

fn field(message: &MessageDescriptor, path: &str) -> FieldDescriptor {
    match path.split_once('.') {
        None => message.get_field_by_name(path).unwrap(),
        Some((outer, inner)) => {
            let outer = message.get_field_by_name(outer).unwrap();
            field(outer.kind().as_message().unwrap(), inner)
        }
    }
}

pub async fn answer(response: Response) -> Answer {
    let status = response.status();
    let challenge = response.headers().contains_key("www-authenticate");
    if status.is_success() {
        return Answer {
            reason: None,
            metadata: BTreeMap::new(),
            body: beginning(response).await,
        };
    }
    let problem: serde_json::Value = response.json().await.unwrap();
    let reason = problem["reason"].as_str().unwrap_or_default().to_owned();
    let fitting = match reason.as_str() {
        "UNAUTHENTICATED" => status == StatusCode::UNAUTHORIZED && challenge,
        "SCOPE_MISSING" => status == StatusCode::FORBIDDEN,
        "NOT_FOUND" => status == StatusCode::NOT_FOUND,
        _ => !status.is_server_error() || status == StatusCode::SERVICE_UNAVAILABLE,
    };
    let metadata = problem["metadata"].as_object().into_iter().flatten();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    Answer {
        reason: Some(match fitting {
            true => reason,
            false => format!("{reason} with {status}"),
        }),
        metadata: metadata
            .map(|(key, value)| (key.clone(), text(value)))
            .collect(),
        body: Vec::new(),
    }
}

/// All of it, or of a stream what comes at once.
async fn beginning(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Ok(Some(part))) = tokio::time::timeout(PATIENCE, response.chunk()).await {
        body.extend_from_slice(&part);
    }
    body
}
