//! Requests about items, locations and levels, into the service's own values.

use std::{collections::BTreeSet, ops::RangeInclusive};

use api::inventory::v1 as pb;
use rpc::{Fields, Problem};
use types::{LocationId, Quantity, Sku};

use super::parse::optional;
use crate::{
    app::{ItemChange, LocationChange},
    domain::{Adjustment, Item, Location, MAIN_LOCATION, Target, Transfer},
    store::levels,
};

const TEXT_CHARS_MAX: usize = 200;
const ITEMS_MAX: usize = 1_000;
const WATCHED_SKUS_MAX: usize = 100;
const UNITS_MAX: i64 = 1_000_000_000;

fn units(
    fields: &mut Fields,
    path: impl Into<String>,
    units: i64,
    range: RangeInclusive<i64>,
) -> Option<i64> {
    let (least, most) = (range.start(), range.end());
    let parsed = match range.contains(&units) {
        true => Ok(units),
        false => Err(format!("must be from {least} to {most}, got {units}")),
    };
    fields.parse(path, parsed)
}

fn reason(fields: &mut Fields, reason: &str) -> Option<String> {
    if reason.is_empty() {
        let expected = format!("must be 1 to {TEXT_CHARS_MAX} characters, got 0");
        fields.refuse("reason", expected);
        return None;
    }
    fields.text("reason", reason, TEXT_CHARS_MAX)
}

fn location_or_main(fields: &mut Fields, text: &str) -> Option<LocationId> {
    let text = if text.is_empty() { MAIN_LOCATION } else { text };
    fields.parse("location_id", LocationId::parse(text))
}

pub(super) fn adjust_stock(request: &pb::AdjustStockRequest) -> Result<Adjustment, Problem> {
    let mut fields = Fields::default();
    let sku = fields.parse("sku", Sku::parse(&request.sku));
    let location_id = location_or_main(&mut fields, &request.location_id);
    let delta = units(&mut fields, "delta", request.delta, -UNITS_MAX..=UNITS_MAX);
    if delta == Some(0) {
        fields.refuse("delta", "must not be 0");
    }
    let reason = reason(&mut fields, &request.reason);
    let version = fields.etag("etag", &request.etag);
    let adjustment = || {
        Some(Adjustment {
            sku: sku?,
            location_id: location_id?,
            target: Target::By(delta?),
            reason: reason?,
            force: request.force,
            version: version?,
        })
    };
    fields.finish(adjustment())
}

pub(super) fn set_stock(request: &pb::SetStockRequest) -> Result<Adjustment, Problem> {
    let mut fields = Fields::default();
    let sku = fields.parse("sku", Sku::parse(&request.sku));
    let location_id = location_or_main(&mut fields, &request.location_id);
    let on_hand = units(&mut fields, "on_hand", request.on_hand, 0..=UNITS_MAX);
    let safety_stock = match request.safety_stock {
        Some(kept) => units(&mut fields, "safety_stock", kept, 0..=UNITS_MAX).map(Some),
        None => Some(None),
    };
    let reason = reason(&mut fields, &request.reason);
    let version = fields.etag("etag", &request.etag);
    let adjustment = || {
        Some(Adjustment {
            sku: sku?,
            location_id: location_id?,
            target: Target::To {
                on_hand: on_hand?,
                safety_stock: safety_stock?,
            },
            reason: reason?,
            force: request.force,
            version: version?,
        })
    };
    fields.finish(adjustment())
}

pub(super) fn transfer_stock(request: &pb::TransferStockRequest) -> Result<Transfer, Problem> {
    let mut fields = Fields::default();
    let sku = fields.parse("sku", Sku::parse(&request.sku));
    let from = LocationId::parse(&request.from_location_id);
    let from = fields.parse("from_location_id", from);
    let to = LocationId::parse(&request.to_location_id);
    let to = fields.parse("to_location_id", to);
    if from.is_some() && from == to {
        fields.refuse("to_location_id", "must be another location");
    }
    let quantity = fields.parse("quantity", Quantity::try_from(request.quantity));
    let reason = reason(&mut fields, &request.reason);
    let transfer = || {
        Some(Transfer {
            sku: sku?,
            from: from?,
            to: to?,
            quantity: quantity?,
            reason: reason?,
        })
    };
    fields.finish(transfer())
}

pub(super) fn upsert_item(request: &pb::UpsertItemRequest) -> Result<ItemChange, Problem> {
    let mut fields = Fields::default();
    let item = match &request.item {
        Some(item) => item_change(&mut fields, "item", item),
        None => {
            fields.refuse("item", "is required");
            None
        }
    };
    fields.finish(item)
}

pub(super) fn batch_upsert_items(
    request: &pb::BatchUpsertItemsRequest,
) -> Result<Vec<ItemChange>, Problem> {
    let mut fields = Fields::default();
    if fields
        .count("items", request.items.len(), 1..=ITEMS_MAX)
        .is_none()
    {
        return fields.finish(None);
    }
    let (mut changes, mut seen) = (Vec::new(), BTreeSet::new());
    for (place, item) in request.items.iter().enumerate() {
        if !seen.insert(item.sku.as_str()) {
            fields.refuse(
                format!("items[{place}].sku"),
                "must be in a batch only once",
            );
        }
        changes.extend(item_change(&mut fields, &format!("items[{place}]"), item));
    }
    fields.finish(Some(changes))
}

fn item_change(fields: &mut Fields, path: &str, item: &pb::Item) -> Option<ItemChange> {
    let sku = fields.parse(format!("{path}.sku"), Sku::parse(&item.sku));
    let title = fields.text(format!("{path}.title"), &item.title, TEXT_CHARS_MAX);
    let price = format!("{path}.list_price");
    let list_price = match &item.list_price {
        Some(money) => fields.money(&price, Some(money)).map(Some),
        None => Some(None),
    };
    if list_price
        .flatten()
        .is_some_and(|price| price.is_negative())
    {
        fields.refuse(format!("{price}.minor_units"), "must not be negative");
    }
    let limit = format!("{path}.backorder_limit");
    let backorder_limit = units(fields, limit, item.backorder_limit, 0..=UNITS_MAX);
    let version = fields.etag(format!("{path}.etag"), &item.etag);
    Some(ItemChange {
        item: Item {
            sku: sku?,
            title: title?,
            list_price: list_price?,
            stock_tracked: item.stock_tracked.unwrap_or(true),
            backorder_limit: backorder_limit?,
            version: 0,
        },
        version: version?,
    })
}

pub(super) fn upsert_location(
    request: &pb::UpsertLocationRequest,
) -> Result<LocationChange, Problem> {
    let mut fields = Fields::default();
    let Some(location) = &request.location else {
        fields.refuse("location", "is required");
        return fields.finish(None);
    };
    let id = fields.parse("location.id", LocationId::parse(&location.id));
    let name = fields.text("location.name", &location.name, TEXT_CHARS_MAX);
    let version = fields.etag("location.etag", &location.etag);
    let change = || {
        Some(LocationChange {
            location: Location {
                id: id?,
                name: name?,
                priority: location.priority,
                version: 0,
            },
            version: version?,
        })
    };
    fields.finish(change())
}

pub(super) fn sku(text: &str) -> Result<Sku, Problem> {
    let mut fields = Fields::default();
    let sku = fields.parse("sku", Sku::parse(text));
    fields.finish(sku)
}

pub(super) fn list_stock(request: &pb::ListStockRequest) -> Result<levels::Filter, Problem> {
    let mut fields = Fields::default();
    let sku_prefix = fields.text("sku_prefix", &request.sku_prefix, Sku::MAX_CHARS);
    let at = &request.location_id;
    let location_id = optional(&mut fields, "location_id", at, LocationId::parse);
    let filter = sku_prefix.zip(location_id);
    fields.finish(filter.map(|(sku_prefix, location_id)| levels::Filter {
        sku_prefix,
        location_id,
    }))
}

pub(super) fn watch_stock(
    request: &pb::WatchStockRequest,
) -> Result<(Vec<String>, Option<i64>), Problem> {
    let mut fields = Fields::default();
    let count = fields.count("skus", request.skus.len(), 0..=WATCHED_SKUS_MAX);
    for (place, sku) in request.skus.iter().enumerate() {
        fields.parse(format!("skus[{place}]"), Sku::parse(sku));
    }
    if let Some(after) = request.after_sequence {
        units(&mut fields, "after_sequence", after, 0..=i64::MAX);
    }
    fields.finish(count.map(|()| (request.skus.clone(), request.after_sequence)))
}
