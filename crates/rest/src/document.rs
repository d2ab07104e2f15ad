//! The OpenAPI document of a service, and a page that shows it to people.
//!
//! The document is generated from the protos (`make generate`) for all
//! services; each serves the part about itself.

use std::collections::BTreeSet;

use api::{
    common::v1::ErrorReason as Reason,
    contract::{Http, Method},
};
use axum::{
    Router,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use http::{HeaderName, StatusCode, header};
use serde_json::Value;

use crate::{metrics::measured, problem::Problem, router::RouterError};

const ALL: &str = include_str!("../openapi.json");
const PAGE: &str = include_str!("document/page.html");

/// The page needs its own script and style, and nothing from elsewhere.
const PAGE_POLICY: (HeaderName, &str) = (
    header::CONTENT_SECURITY_POLICY,
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'",
);

pub(crate) fn router(methods: &[Method]) -> Result<Router, RouterError> {
    let document = of(methods)?;
    let json = [(header::CONTENT_TYPE, "application/json")];
    let document = get(move || async move { (json, document.to_string()) }).fallback(other_verb);
    let page = get(|| async { ([PAGE_POLICY], Html(PAGE)) }).fallback(other_verb);
    let at = |path, serve| measured(path, Router::new().route(path, serve));
    Ok(at("/openapi.json", document).merge(at("/docs", page)))
}

async fn other_verb() -> Response {
    Problem::new(Reason::UnknownMethod, "this path takes GET, HEAD")
        .with_status(StatusCode::METHOD_NOT_ALLOWED)
        .with_header(header::ALLOW, "GET, HEAD")
        .into_response()
}

/// The paths of these methods, and the schemas that they need.
fn of(methods: &[Method]) -> Result<Value, RouterError> {
    let mut document: Value = serde_json::from_str(ALL)?;
    let places = methods.iter().flat_map(|method| method.http.iter());
    let own: BTreeSet<String> = places.map(Http::documented).collect();
    if let Some(paths) = document["paths"].as_object_mut() {
        paths.retain(|path, _| own.contains(path));
    }
    keep_used(&mut document, "schemas");
    keep_tags(&mut document);
    Ok(document)
}

fn keep_used(document: &mut Value, kind: &str) {
    let mut used = BTreeSet::new();
    let mut found = references(&document["paths"]);
    found.extend(references(&document["components"]["responses"]));
    found.extend(references(&document["components"]["headers"]));
    while let Some(reference) = found.pop() {
        let name = reference.rsplit('/').next().unwrap_or_default().to_owned();
        if reference.contains(kind) && used.insert(name.clone()) {
            found.extend(references(&document["components"][kind][&name]));
        }
    }
    if let Some(all) = document["components"][kind].as_object_mut() {
        all.retain(|name, _| used.contains(name));
    }
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(map) => map
            .iter()
            .flat_map(|(key, value)| match (key.as_str(), value) {
                ("$ref", Value::String(reference)) => vec![reference.clone()],
                _ => references(value),
            })
            .collect(),
        Value::Array(values) => values.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

fn keep_tags(document: &mut Value) {
    let used: BTreeSet<String> = document["paths"]
        .as_object()
        .into_iter()
        .flat_map(|paths| paths.values())
        .filter_map(Value::as_object)
        .flat_map(|verbs| verbs.values())
        .filter_map(|operation| operation["tags"][0].as_str().map(str::to_owned))
        .collect();
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.retain(|tag| tag["name"].as_str().is_some_and(|name| used.contains(name)));
    }
}
