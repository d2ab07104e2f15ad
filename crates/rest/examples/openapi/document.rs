//! The whole document.

use api::contract;
use prost_reflect::DescriptorPool;
use serde_json::{Map, Value, json};

use crate::{Result, answers, comments, links, names::Names, operation, schema::Schemas};

const SERVICES: [&str; 6] = [
    "cartwright.order.v1.OrderService",
    "cartwright.payment.v1.PaymentService",
    "cartwright.inventory.v1.InventoryService",
    "cartwright.order.v1.OrderAdminService",
    "cartwright.payment.v1.PaymentAdminService",
    "cartwright.inventory.v1.InventoryAdminService",
];

const ABOUT: &str = include_str!("about.md");

pub fn of(pool: &DescriptorPool) -> Result<Value> {
    let methods = contract::methods_of(pool, &SERVICES)?;
    let mut schemas = Schemas::new(pool, Names::of(pool));
    let mut paths = Map::new();
    for method in &methods {
        for http in &method.http {
            let operation = operation::of(method, http, &mut schemas);
            let place = http.documented();
            let path = paths.entry(place).or_insert_with(|| json!({}));
            path[http.verb.to_lowercase()] = operation;
        }
    }
    links::add(&methods, &mut paths);
    let tags: Vec<Value> = SERVICES
        .iter()
        .filter_map(|name| pool.get_service_by_name(name))
        .map(|service| {
            let about = comments::of(&service.parent_file(), service.path());
            json!({ "name": service.name(), "description": about })
        })
        .collect();
    Ok(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Cartwright",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas.finish(),
            "responses": answers::shared(),
            "headers": answers::headers(),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A token of the configured issuer. Each operation names the scope that the token must hold; what belongs to customers is open to the customer who is the token's subject, and to holders of `customers:any`.",
                },
            },
        },
    }))
}
