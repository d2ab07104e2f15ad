//! The OpenAPI document and its page.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::world::World;

#[tokio::test]
async fn each_service_serves_the_document_of_its_own_paths() {
    let answer = World::new().get("/openapi.json").await;
    let document = answer.json();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    assert!(
        paths.keys().all(|path| path.contains("inventory")),
        "{:?}",
        paths.keys()
    );
    let methods = api::contract::methods(&[
        "cartwright.inventory.v1.InventoryService",
        "cartwright.inventory.v1.InventoryAdminService",
    ]);
    let places = methods.unwrap().into_iter().flat_map(|method| method.http);
    let places: BTreeSet<_> = places
        .map(|http| (http.documented(), http.verb.to_lowercase()))
        .collect();
    let listed = paths.iter().flat_map(|(path, verbs)| {
        let verbs = verbs.as_object().unwrap().keys();
        verbs.map(|verb| (path.clone(), verb.clone()))
    });
    assert_eq!(listed.collect::<BTreeSet<_>>(), places);
}

#[tokio::test]
async fn the_document_is_whole() {
    let document = World::new().get("/openapi.json").await.json();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 100);
    for reference in references {
        let pointer = reference.trim_start_matches('#');
        assert!(
            document
                .pointer(pointer)
                .is_some_and(|target| !target.is_null()),
            "{reference}"
        );
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| match value {
            Value::String(reference) if key == "$ref" => references.push(reference.clone()),
            value => collect(value, references),
        }),
        Value::Array(values) => values.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere() {
    let answer = World::new().get("/docs").await;
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .header("content-security-policy")
            .unwrap()
            .contains("default-src 'none'")
    );
    assert!(!answer.text.contains("http://") && !answer.text.contains("https://"));
}
