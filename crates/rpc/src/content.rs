//! What is read of every request whatever its fields. The one place that keeps
//! card numbers, e-mail addresses and credentials out: every text is looked at
//! before any verb sees it.

use api::message::{self, Place};
use prost::{Message, Name};
use tonic_types::FieldViolation;
use tracing::Span;
use types::OrderId;

use crate::Problem;

/// Fields whose texts are opaque to callers and made and checked by us.
const OURS: &str = "page_token";

/// # Errors
/// `INVALID_FIELD` with every text that holds what must not be stored. The
/// items of a batch are left to [`check_item`], so that each stands alone.
pub(crate) fn check_call<M: Message + Name>(message: &M) -> Result<(), Problem> {
    let items_stand_alone = message::items_bring_keys::<M>();
    let span = Span::current();
    refuse(violations(message, "", |place, text| {
        name_entity(&span, place, text);
        items_stand_alone && place.is_within("items")
    }))
}

/// A call is found by what it is about. Of a caller's texts only an id is told.
fn name_entity(span: &Span, place: &Place<'_>, text: &str) {
    let entities = [("order_id", "order.id"), ("payment_id", "payment.id")];
    let named = entities.iter().find(|(field, _)| place.is(field));
    if let Some((_, name)) = named
        && OrderId::parse(text).is_ok()
    {
        span.record(*name, text);
    }
}

/// `path` is that of the item's key.
///
/// # Errors
/// `INVALID_FIELD` as above.
pub(crate) fn check_item<M: Message + Name>(message: &M, path: &str) -> Result<(), Problem> {
    let prefix = path.trim_end_matches("idempotency_key");
    let span = Span::current();
    refuse(violations(
        message,
        &format!("{prefix}request."),
        |place, text| {
            name_entity(&span, place, text);
            false
        },
    ))
}

/// What acts are about; the first that is named counts: the order rather than
/// its return, the goods rather than the place where they are put.
const RESOURCES: [&str; 8] = [
    "order_id",
    "payment_id",
    "return_id",
    "fulfillment_id",
    "sku",
    "item.sku",
    "location_id",
    "location.id",
];

/// What a call is about, if that is one thing.
pub(crate) fn resource<M: Message + Name>(message: &M) -> Option<String> {
    let mut found: Option<(usize, String)> = None;
    message::visit_texts(message, &mut |place, text| {
        let rank = RESOURCES.iter().position(|name| place.is(name));
        if let Some(rank) = rank
            && found.as_ref().is_none_or(|(best, _)| rank < *best)
        {
            found = Some((rank, text.to_owned()));
        }
    });
    found.map(|(_, text)| text)
}

fn refuse(violations: Vec<FieldViolation>) -> Result<(), Problem> {
    match violations.is_empty() {
        true => Ok(()),
        false => Err(Problem::violations(violations)),
    }
}

fn violations<M: Message + Name>(
    message: &M,
    prefix: &str,
    skip: impl Fn(&Place<'_>, &str) -> bool,
) -> Vec<FieldViolation> {
    let mut violations = Vec::new();
    message::visit_texts(message, &mut |place, text| {
        if place.is_within(OURS) || skip(place, text) {
            return;
        }
        if let Some(found) = types::forbidden_content(text) {
            let field = format!("{prefix}{place}");
            violations.push(FieldViolation::new(field, found.to_string()));
        }
    });
    violations
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use api::{inventory::v1 as inventory, order::v1 as order, payment::v1 as payment};

    use super::*;

    const CARD: &str = "4242424242424242";

    fn told<M: Message + Name>(message: &M) -> String {
        check_call(message).unwrap_err().message().to_owned()
    }

    #[test]
    fn every_forbidden_text_is_named_and_none_is_repeated() {
        let request = order::CreateOrderRequest {
            customer_id: "anna@example.com".to_owned(),
            reference: "Bearer 0123456789abcdef".to_owned(),
            lines: vec![
                order::NewOrderLine::default(),
                order::NewOrderLine {
                    sku: CARD.to_owned(),
                    ..Default::default()
                },
            ],
            ..Default::default()
        };
        let told = told(&request);
        for part in [
            "customer_id: must not hold an e-mail address",
            "reference: must not hold a credential",
            "lines[1].sku: must not hold a card number",
        ] {
            assert!(told.contains(part), "{told}");
        }
        assert!(!told.contains(CARD) && !told.contains("anna"), "{told}");
    }

    #[test]
    fn an_item_of_a_batch_stands_alone() {
        let bad = payment::CreatePaymentRequest {
            payment_method: CARD.to_owned(),
            ..Default::default()
        };
        let batch = payment::BatchCreatePaymentsRequest {
            items: vec![payment::BatchCreatePaymentsItem {
                request: Some(bad.clone()),
                ..Default::default()
            }],
        };
        check_call(&batch).unwrap();
        let problem = check_item(&bad, "items[0].idempotency_key").unwrap_err();
        assert_eq!(
            problem.message(),
            "items[0].request.payment_method: must not hold a card number"
        );
    }

    #[test]
    fn items_without_keys_of_their_own_belong_to_their_call() {
        let request = inventory::BatchUpsertItemsRequest {
            items: vec![inventory::Item {
                title: CARD.to_owned(),
                ..Default::default()
            }],
        };
        assert_eq!(
            told(&request),
            "items[0].title: must not hold a card number"
        );
    }

    #[test]
    fn what_a_call_is_about_is_found_by_its_field() {
        let transfer = inventory::TransferStockRequest {
            sku: "A".to_owned(),
            reason: "b".to_owned(),
            ..Default::default()
        };
        assert_eq!(resource(&transfer).as_deref(), Some("A"));
        let back = inventory::ReturnToStockRequest {
            order_id: "o".to_owned(),
            return_id: "r".to_owned(),
            location_id: "l".to_owned(),
            ..Default::default()
        };
        assert_eq!(resource(&back).as_deref(), Some("o"));
        let item = inventory::UpsertItemRequest {
            item: Some(inventory::Item {
                sku: "B".to_owned(),
                ..Default::default()
            }),
        };
        assert_eq!(resource(&item).as_deref(), Some("B"));
        assert_eq!(resource(&order::CreateOrderRequest::default()), None);
    }

    #[test]
    fn filters_of_lists_are_looked_at_and_page_tokens_are_not() {
        let request = order::ListOrdersRequest {
            customer_id: "anna@example.com".to_owned(),
            page_token: "anna@example.com".to_owned(),
            ..Default::default()
        };
        assert_eq!(
            told(&request),
            "customer_id: must not hold an e-mail address"
        );
    }
}
