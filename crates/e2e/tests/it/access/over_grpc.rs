//! The methods over gRPC.

use std::collections::BTreeMap;

use api::contract::Method;
use e2e::raw;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, Value};
use rpc::Remote;
use tonic::Status;
use uuid::Uuid;

use super::{Answer, World, callers};

/// About ada's order where `who` asks for that, else about nothing that exists.
pub fn value(world: &World, who: &str, field: &FieldDescriptor) -> Option<Value> {
    let about_ada = [callers::OTHER, callers::OWNER].contains(&who);
    let id = match about_ada {
        true => world.order_id.clone(),
        false => Uuid::now_v7().to_string(),
    };
    Some(match (field.kind(), field.name()) {
        (Kind::String, "order_id" | "order_ids") => Value::String(id),
        (Kind::String, "customer_id") if about_ada => Value::String("ada".to_owned()),
        (Kind::String, name) if name.ends_with("_id") => Value::String(id),
        (Kind::String, "sku") => Value::String("mug".to_owned()),
        (Kind::Int32, _) => Value::I32(1),
        (Kind::Int64, _) => Value::I64(1),
        _ => return None,
    })
}

/// The request that `who` sends.
pub fn message(world: &World, method: &Method, who: &str) -> DynamicMessage {
    raw::filled(&method.descriptor.input(), &|field, _| {
        value(world, who, field)
    })
}

pub async fn call(world: &World, method: &Method, who: &str, token: Option<&str>) -> Answer {
    let message = message(world, method, who);
    let key = Uuid::now_v7().to_string();
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut metadata = vec![("idempotency-key", key.as_str())];
    metadata.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
    let channel = world.shop.calls.channel(method);
    answer(raw::call(&channel, method, &message, &metadata).await)
}

pub fn answer(result: Result<Option<bytes::Bytes>, Status>) -> Answer {
    match result {
        Ok(body) => Answer {
            reason: None,
            metadata: BTreeMap::new(),
            body: body.unwrap_or_default().to_vec(),
        },
        Err(status) => {
            let remote = Remote::from(&status);
            let reason = remote.reason.map(|reason| reason.code().to_owned());
            Answer {
                reason: Some(reason.unwrap_or_else(|| format!("{status:?}"))),
                metadata: remote.metadata.into_iter().collect(),
                body: Vec::new(),
            }
        }
    }
}
