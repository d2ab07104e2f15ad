//! Messages as JSON for machines: the names of the proto's fields, whole
//! numbers as numbers, times as RFC 3339, enums without their prefix, `null`
//! for what is absent.

use std::sync::OnceLock;

use api::{
    common::v1 as common, inventory::v1 as inventory, order::v1 as order, payment::v1 as payment,
};
use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MapKey, ReflectMessage,
    Value,
};
use serde_json::{Map, Value as Json, json};

use crate::failure::Failure;

/// A message that knows its full name in the contract.
pub trait Named: Message {
    const NAME: &'static str;
}

macro_rules! named {
    ($package:literal, $module:ident { $($message:ident),+ $(,)? }) => {
        $(impl Named for $module::$message {
            const NAME: &'static str = concat!($package, ".", stringify!($message));
        })+
    };
}

named!("cartwright.common.v1", common { AuditEntry });
named!(
    "cartwright.order.v1",
    order {
        CancelOrderResponse,
        CreateFulfillmentResponse,
        CreateOrderResponse,
        CreateReturnResponse,
        GetOrderResponse,
        GetOrderTimelineResponse,
        GetSagaResponse,
        ListOrdersResponse,
        ListSagasResponse,
        OrderEvent,
        ReceiveReturnResponse,
        RefundOrderResponse,
        ResolveSagaResponse,
        RetrySagaResponse,
    }
);
named!(
    "cartwright.payment.v1",
    payment {
        CapturePaymentResponse,
        GetPaymentResponse,
        ListLedgerEntriesResponse,
        ListPaymentsResponse,
        ReconcileProviderResponse,
        RefundPaymentResponse,
    }
);
named!(
    "cartwright.inventory.v1",
    inventory {
        AdjustStockResponse,
        GetStockResponse,
        ListLocationsResponse,
        ListStockResponse,
        SetStockResponse,
        StockMovement,
        UpsertLocationResponse,
    }
);

/// # Errors
/// When the contract that was compiled in lacks the message, which is a bug.
pub fn of<M: Named>(message: &M) -> Result<Json, Failure> {
    let bug = |error: &dyn std::fmt::Display| Failure::Internal(format!("{}: {error}", M::NAME));
    let descriptor = pool()
        .map_err(|error| bug(&error))?
        .get_message_by_name(M::NAME)
        .ok_or_else(|| bug(&"is not in the contract"))?;
    let bytes = message.encode_to_vec();
    let message = DynamicMessage::decode(descriptor, bytes.as_slice()).map_err(|e| bug(&e))?;
    Ok(object(&message))
}

fn pool() -> Result<&'static DescriptorPool, String> {
    static POOL: OnceLock<Result<DescriptorPool, String>> = OnceLock::new();
    POOL.get_or_init(|| DescriptorPool::decode(api::DESCRIPTORS).map_err(|e| e.to_string()))
        .as_ref()
        .map_err(Clone::clone)
}

fn object(message: &DynamicMessage) -> Json {
    let descriptor = message.descriptor();
    match descriptor.full_name() {
        "google.protobuf.Timestamp" => return timestamp(message),
        "google.protobuf.Duration" => return duration(message),
        _ => {}
    }
    let mut object = Map::new();
    for field in descriptor.fields() {
        let is_absent = field.supports_presence() && !message.has_field(&field);
        let choice = field
            .containing_oneof()
            .filter(|choice| !choice.is_synthetic());
        if is_absent && choice.is_some() {
            continue;
        }
        let json = match is_absent {
            true => Json::Null,
            false => value(&field, &message.get_field(&field)),
        };
        object.insert(field.name().to_owned(), json);
    }
    Json::Object(object)
}

fn value(field: &FieldDescriptor, value: &Value) -> Json {
    match value {
        Value::Bool(value) => json!(value),
        Value::I32(value) => json!(value),
        Value::I64(value) => json!(value),
        Value::U32(value) => json!(value),
        Value::U64(value) => json!(value),
        Value::F32(value) => json!(value),
        Value::F64(value) => json!(value),
        Value::String(value) => json!(value),
        Value::Bytes(value) => json!(hex::encode(value)),
        Value::EnumNumber(number) => match field.kind() {
            Kind::Enum(kind) => json!(short_name(&kind, *number)),
            _ => json!(number),
        },
        Value::Message(message) => object(message),
        Value::List(values) => values.iter().map(|item| self::value(field, item)).collect(),
        Value::Map(values) => {
            let pairs = values.iter();
            Json::Object(
                pairs
                    .map(|(key, item)| (map_key(key), self::value(field, item)))
                    .collect(),
            )
        }
    }
}

fn map_key(key: &MapKey) -> String {
    match key {
        MapKey::Bool(key) => key.to_string(),
        MapKey::I32(key) => key.to_string(),
        MapKey::I64(key) => key.to_string(),
        MapKey::U32(key) => key.to_string(),
        MapKey::U64(key) => key.to_string(),
        MapKey::String(key) => key.clone(),
    }
}

/// The prefix of an enum is what its value 0 has before `UNSPECIFIED`.
fn short_name(kind: &EnumDescriptor, number: i32) -> String {
    let zero = kind.default_value();
    let prefix = zero.name().strip_suffix("UNSPECIFIED").unwrap_or_default();
    match kind.get_value(number) {
        Some(value) => value
            .name()
            .strip_prefix(prefix)
            .unwrap_or(value.name())
            .to_owned(),
        None => number.to_string(),
    }
}

fn timestamp(message: &DynamicMessage) -> Json {
    let Ok(time) = message.transcode_to::<prost_types::Timestamp>() else {
        return Json::Null;
    };
    match api::from_timestamp(&time) {
        Some(time) => json!(time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)),
        None => Json::Null,
    }
}

fn duration(message: &DynamicMessage) -> Json {
    match message.transcode_to::<prost_types::Duration>() {
        Ok(duration) => json!(duration.to_string()),
        Err(_) => Json::Null,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panic")]
mod tests {
    use super::*;

    #[test]
    fn a_message_keeps_the_names_of_the_contract_and_drops_enum_prefixes() {
        let message = order::GetOrderResponse {
            order: Some(order::Order {
                id: "o1".to_owned(),
                state: order::OrderState::Confirmed.into(),
                lines: vec![order::OrderLine {
                    number: 1,
                    quantity: 9_007_199_254_740_993,
                    ..order::OrderLine::default()
                }],
                total: Some(api::common::v1::Money {
                    minor_units: 1234,
                    currency_code: "GBP".to_owned(),
                }),
                create_time: Some(prost_types::Timestamp {
                    seconds: 1_700_000_000,
                    nanos: 5_000_000,
                }),
                ..order::Order::default()
            }),
        };
        let json = of(&message).unwrap();
        let order = &json["order"];
        assert_eq!(order["state"], "CONFIRMED");
        assert_eq!(order["payment_state"], "UNSPECIFIED");
        assert_eq!(order["lines"][0]["quantity"], 9_007_199_254_740_993_i64);
        assert_eq!(order["lines"][0]["sku"], "");
        assert_eq!(
            order["total"],
            json!({ "minor_units": 1234, "currency_code": "GBP" })
        );
        assert_eq!(order["create_time"], "2023-11-14T22:13:20.005000Z");
        assert_eq!(order["captured"], Json::Null);
    }

    #[test]
    fn a_field_that_may_be_absent_is_null_and_not_left_out() {
        let message = inventory::GetStockResponse {
            item: Some(inventory::Item::default()),
            ..inventory::GetStockResponse::default()
        };
        let json = of(&message).unwrap();
        assert!(
            json["item"]
                .as_object()
                .unwrap()
                .contains_key("stock_tracked")
        );
        assert_eq!(json["item"]["stock_tracked"], Json::Null);
        assert_eq!(json["levels"], json!([]));
    }

    #[test]
    fn every_message_that_is_shown_is_in_the_contract() {
        of(&order::OrderEvent::default()).unwrap();
        of(&order::ListSagasResponse::default()).unwrap();
        of(&order::ResolveSagaResponse::default()).unwrap();
        of(&payment::ListLedgerEntriesResponse::default()).unwrap();
        of(&payment::RefundPaymentResponse::default()).unwrap();
        of(&inventory::StockMovement::default()).unwrap();
        of(&inventory::UpsertLocationResponse::default()).unwrap();
    }
}
