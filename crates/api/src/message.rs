//! What a message is made of, by its descriptor: every text in it wherever it
//! stands, also in fields that the contract gets only later.

use std::{collections::HashMap, fmt, sync::LazyLock};

use prost::{
    Message, Name,
    encoding::{WireType, decode_key, decode_varint},
};
use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};

static POOL: LazyLock<Option<DescriptorPool>> = LazyLock::new(|| crate::contract::pool().ok());

/// The method that takes each request: `package.Service/Method` by the
/// request's full name.
static METHODS: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let services = POOL.iter().flat_map(DescriptorPool::services);
    let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    let named = methods.map(|method| {
        let service = method.parent_service().full_name().to_owned();
        let request = method.input().full_name().to_owned();
        (request, format!("{service}/{}", method.name()))
    });
    named.collect()
});

/// The method that takes an `M`, like `cartwright.order.v1.OrderService/GetOrder`.
pub fn method_of<M: Name>() -> Option<&'static str> {
    METHODS.get(&M::full_name()).map(String::as_str)
}

/// Whether each of an `M`'s items brings its own idempotency key.
pub fn items_bring_keys<M: Name>() -> bool {
    descriptor::<M>().is_some_and(|request| crate::contract::items_bring_keys(&request))
}

/// Whether an `M` can be looked into; always, unless the build is broken.
pub fn is_known<M: Name>() -> bool {
    descriptor::<M>().is_some()
}

/// Shows `visit` every text in `message`, with its place.
pub fn visit_texts<M: Message + Name>(message: &M, visit: &mut dyn FnMut(&Place<'_>, &str)) {
    if let Some(descriptor) = descriptor::<M>() {
        let bytes = message.encode_to_vec();
        walk(&descriptor, &bytes, &Place::Top, visit);
    }
}

fn descriptor<M: Name>() -> Option<MessageDescriptor> {
    POOL.as_ref()?.get_message_by_name(&M::full_name())
}

/// Where a text stands in its message. Shown like `lines[2].sku`.
pub enum Place<'a> {
    Top,
    Field {
        within: &'a Place<'a>,
        name: &'a str,
        /// In a repeated field.
        index: Option<usize>,
    },
}

impl Place<'_> {
    /// Whether it is shown as `path`, which has no indexes.
    pub fn is(&self, path: &str) -> bool {
        match (self, path.rsplit_once('.')) {
            (Self::Top | Self::Field { index: Some(_), .. }, _) => false,
            (Self::Field { within, name, .. }, None) => {
                *name == path && matches!(within, Self::Top)
            }
            (Self::Field { within, name, .. }, Some((outer, own))) => {
                *name == own && within.is(outer)
            }
        }
    }

    /// Whether it is in the field `name` of the message at the top.
    pub fn is_within(&self, name: &str) -> bool {
        match self {
            Self::Top => false,
            Self::Field {
                within: Self::Top,
                name: own,
                ..
            } => *own == name,
            Self::Field { within, .. } => within.is_within(name),
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Field {
            within,
            name,
            index,
        } = self
        else {
            return Ok(());
        };
        match within {
            Self::Top => write!(f, "{name}")?,
            Self::Field { .. } => write!(f, "{within}.{name}")?,
        }
        match index {
            Some(index) => write!(f, "[{index}]"),
            None => Ok(()),
        }
    }
}

/// The bytes are our own encoding: what cannot be read ends the walk.
fn walk(
    descriptor: &MessageDescriptor,
    mut bytes: &[u8],
    within: &Place<'_>,
    visit: &mut dyn FnMut(&Place<'_>, &str),
) {
    let mut seen: HashMap<u32, usize> = HashMap::new();
    while let Some((number, content)) = next(&mut bytes) {
        let Some(field) = descriptor.get_field(number) else {
            continue;
        };
        let count = seen.entry(number).or_default();
        let index = (field.is_list() || field.is_map()).then_some(*count);
        *count += 1;
        let name = field.name();
        let place = Place::Field {
            within,
            name,
            index,
        };
        match (content, field.kind()) {
            (Some(text), Kind::String) => {
                if let Ok(text) = std::str::from_utf8(text) {
                    visit(&place, text);
                }
            }
            (Some(inner), Kind::Message(descriptor)) => walk(&descriptor, inner, &place, visit),
            _ => {}
        }
    }
}

/// The next field: its number, and its content if that has a length.
fn next<'a>(bytes: &mut &'a [u8]) -> Option<(u32, Option<&'a [u8]>)> {
    if bytes.is_empty() {
        return None;
    }
    let (number, wire_type) = decode_key(bytes).ok()?;
    let fixed = match wire_type {
        WireType::Varint => {
            decode_varint(bytes).ok()?;
            return Some((number, None));
        }
        WireType::SixtyFourBit => 8,
        WireType::ThirtyTwoBit => 4,
        WireType::LengthDelimited => {
            let length = usize::try_from(decode_varint(bytes).ok()?).ok()?;
            let (content, rest) = bytes.split_at_checked(length)?;
            *bytes = rest;
            return Some((number, Some(content)));
        }
        WireType::StartGroup | WireType::EndGroup => return None,
    };
    *bytes = bytes.get(fixed..)?;
    Some((number, None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{common::v1 as common, inventory::v1 as inventory, order::v1 as order};

    fn texts<M: Message + Name>(message: &M) -> Vec<(String, String)> {
        let mut texts = Vec::new();
        visit_texts(message, &mut |place, text| {
            texts.push((place.to_string(), text.to_owned()));
        });
        texts
    }

    #[test]
    fn every_text_of_a_request_is_shown_with_its_place() {
        let line = |sku: &str| order::NewOrderLine {
            sku: sku.to_owned(),
            quantity: 3,
            unit_price: Some(common::Money {
                currency_code: "GBP".to_owned(),
                minor_units: -1,
            }),
        };
        let request = order::CreateOrderRequest {
            customer_id: "c-1".to_owned(),
            lines: vec![line("A"), line("B")],
            reference: "ref".to_owned(),
            ..Default::default()
        };
        let mut found = texts(&request);
        found.sort();
        let expected = [
            ("customer_id", "c-1"),
            ("lines[0].sku", "A"),
            ("lines[0].unit_price.currency_code", "GBP"),
            ("lines[1].sku", "B"),
            ("lines[1].unit_price.currency_code", "GBP"),
            ("reference", "ref"),
        ];
        let expected = expected.map(|(place, text)| (place.to_owned(), text.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn repeated_texts_are_counted() {
        let request = inventory::WatchStockRequest {
            skus: vec!["A".to_owned(), "B".to_owned()],
            ..Default::default()
        };
        let places: Vec<_> = texts(&request)
            .into_iter()
            .map(|(place, _)| place)
            .collect();
        assert_eq!(places, ["skus[0]", "skus[1]"]);
    }

    #[test]
    fn every_request_of_the_contract_can_be_looked_into() {
        assert!(is_known::<order::CreateOrderRequest>());
        assert!(is_known::<inventory::BatchUpsertItemsRequest>());
        assert_eq!(
            method_of::<order::CreateOrderRequest>(),
            Some("cartwright.order.v1.OrderService/CreateOrder")
        );
    }
}
