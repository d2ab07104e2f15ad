//! Stock as tables.

use api::inventory::v1 as pb;

use crate::{
    output::{facts, table},
    show,
};

pub fn item(answer: &pb::GetStockResponse) -> String {
    let item = answer.item.clone().unwrap_or_default();
    let is_tracked = item.stock_tracked.unwrap_or(true);
    let available = match is_tracked {
        true => answer.available.to_string(),
        false => "always: its stock is not counted".to_owned(),
    };
    let backorder = Some(item.backorder_limit).filter(|limit| *limit > 0);
    let facts = facts([
        ("sku", item.sku),
        ("title", item.title),
        ("list price", show::money(item.list_price.as_ref())),
        ("available", available),
        (
            "backorder",
            backorder.map(|limit| limit.to_string()).unwrap_or_default(),
        ),
        ("etag", item.etag),
    ]);
    if answer.levels.is_empty() {
        return facts;
    }
    format!("{facts}\n{}", levels(&answer.levels))
}

pub fn levels(levels: &[pb::StockLevel]) -> String {
    if levels.is_empty() {
        return "no stock".to_owned();
    }
    let rows = levels.iter().map(|level| {
        [
            level.sku.clone(),
            level.location_id.clone(),
            level.on_hand.to_string(),
            level.held.to_string(),
            level.committed.to_string(),
            level.safety_stock.to_string(),
            level.available.to_string(),
        ]
    });
    let heads = [
        "SKU",
        "LOCATION",
        ">ON HAND",
        ">HELD",
        ">COMMITTED",
        ">SAFETY",
        ">AVAILABLE",
    ];
    table(heads, rows)
}

pub fn changed(level: Option<&pb::StockLevel>, shortfall_order_ids: &[String]) -> String {
    let mut text = levels(level.map(std::slice::from_ref).unwrap_or_default());
    if !shortfall_order_ids.is_empty() {
        text.push_str("\npromises broken to these orders:\n");
        text.push_str(&shortfall_order_ids.join("\n"));
    }
    text
}

pub fn locations(locations: &[pb::Location]) -> String {
    let rows = locations.iter().map(|location| {
        let priority = location.priority.to_string();
        [location.id.clone(), location.name.clone(), priority]
    });
    table(["LOCATION", "NAME", ">PRIORITY"], rows)
}
