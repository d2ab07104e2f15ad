//! Links: what may be asked of a resource that was just made, and how a list
//! goes on.

use api::contract::{Http, Method};
use serde_json::{Map, Value, json};

use crate::{operation, parameters};

pub fn add(methods: &[Method], paths: &mut Map<String, Value>) {
    for method in methods {
        let Some(http) = method.http.first() else {
            continue;
        };
        let links = match &method.created {
            Some(created) => to_resource(created, methods),
            None => to_next_page(method),
        };
        let status = if method.created.is_some() {
            "201"
        } else {
            "200"
        };
        if !links.is_empty() {
            let verb = http.verb.to_lowercase();
            let place = http.documented();
            paths[&place][verb]["responses"][status]["links"] = Value::Object(links);
        }
    }
}

/// All operations below the place of what was created.
fn to_resource(created: &str, methods: &[Method]) -> Map<String, Value> {
    let Some((place, value)) = created.trim_end_matches('}').split_once('{') else {
        return Map::new();
    };
    let pointer = format!("$response.body#/{}", value.replace('.', "/"));
    let mut links = Map::new();
    for method in methods
        .iter()
        .filter(|method| !method.descriptor.is_server_streaming())
    {
        for http in &method.http {
            let inside = http
                .template
                .strip_prefix(place)
                .filter(|rest| rest.starts_with('{'));
            if let (Some(_), [name]) = (inside, parameters::names(&http.template).as_slice()) {
                let id = operation::id(method, http);
                let link = json!({ "operationId": id, "parameters": { parameters::label(name): pointer } });
                links.insert(id, link);
            }
        }
    }
    links
}

/// Of a list that is asked for in the URL: where a body asks, it has the token.
fn to_next_page(method: &Method) -> Map<String, Value> {
    let is_list = method
        .descriptor
        .input()
        .get_field_by_name("page_token")
        .is_some();
    let in_url = |http: &&Http| is_list && http.body.is_none();
    let Some(http) = method.http.first().filter(in_url) else {
        return Map::new();
    };
    let mut parameters = Map::new();
    for name in parameters::names(&http.template) {
        let name = parameters::label(&name);
        parameters.insert(name.to_owned(), json!(format!("$request.path.{name}")));
    }
    parameters.insert(
        "page_token".to_owned(),
        json!("$response.body#/next_page_token"),
    );
    let id = operation::id(method, http);
    let link =
        json!({ "operationId": id, "parameters": parameters, "description": "The next page." });
    Map::from_iter([("next".to_owned(), link)])
}
