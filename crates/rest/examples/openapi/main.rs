//! Writes `openapi.json` from the protos: `cargo run -p rest --example openapi`.
//!
//! What is said there comes from one source: the messages, their comments, the
//! HTTP rules and the rules of fields. It is checked in, so that a change of
//! the contract shows in review, and embedded in the services.

mod answers;
mod comments;
mod examples;
mod links;
mod names;
mod operation;
mod parameters;
mod range;
mod rules;
mod schema;

use std::path::{Path, PathBuf};

use api::contract;
use prost_reflect::DescriptorPool;
use serde_json::{Map, Value, json};

use crate::{names::Names, schema::Schemas};

const SERVICES: [&str; 6] = [
    "cartwright.order.v1.OrderService",
    "cartwright.payment.v1.PaymentService",
    "cartwright.inventory.v1.InventoryService",
    "cartwright.order.v1.OrderAdminService",
    "cartwright.payment.v1.PaymentAdminService",
    "cartwright.inventory.v1.InventoryAdminService",
];

const ABOUT: &str = include_str!("about.md");

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let rest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pool = descriptors(&rest.join("../../proto").canonicalize()?)?;
    let mut text = serde_json::to_string_pretty(&document(&pool)?)?;
    text.push('\n');
    std::fs::write(rest.join("openapi.json"), text)?;
    Ok(())
}

fn document(pool: &DescriptorPool) -> Result<Value> {
    let methods = contract::methods_of(pool, &SERVICES)?;
    let mut schemas = Schemas::new(pool, Names::of(pool));
    let mut paths = Map::new();
    for method in &methods {
        for http in &method.http {
            let operation = operation::of(method, http, &mut schemas);
            let path = paths.entry(&http.template).or_insert_with(|| json!({}));
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

fn descriptors(proto: &Path) -> Result<DescriptorPool> {
    let mut compiler = protox::Compiler::new([proto])?;
    compiler
        .include_imports(true)
        .include_source_info(true)
        .open_files(proto_files(&proto.join("cartwright"))?)?;
    Ok(DescriptorPool::decode(
        compiler.encode_file_descriptor_set().as_slice(),
    )?)
}

fn proto_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(proto_files(&path)?);
        } else if path.extension().is_some_and(|is| is == "proto") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
