//! What the demo sells.

use api::{common::v1::Money, inventory::v1 as pb};

use crate::{args::KeyArg, command::stock, failure::Failure, shop::Shop};

pub const MUG: &str = "demo-mug";
pub const LAST_LAMP: &str = "demo-last-lamp";
/// So many mugs are for sale before the stories begin.
const MUGS: i64 = 100;

/// Makes the items, and sees to it that there are mugs and one lamp for sale.
pub async fn prepare(shop: &Shop) -> Result<(), Failure> {
    let key = new_key();
    let request = pb::BatchUpsertItemsRequest {
        items: vec![
            item(MUG, "A blue mug", 750),
            item(LAST_LAMP, "The last lamp", 4900),
        ],
    };
    let answer = shop
        .inventory
        .change(&key, request, |mut client, request| async move {
            client.batch_upsert_items(request).await
        });
    answer.await?;
    for (sku, wanted) in [(MUG, MUGS), (LAST_LAMP, 1)] {
        top_up(sku, wanted, shop).await?;
    }
    Ok(())
}

fn item(sku: &str, title: &str, minor_units: i64) -> pb::Item {
    pb::Item {
        sku: sku.to_owned(),
        title: title.to_owned(),
        list_price: Some(Money {
            minor_units,
            currency_code: "GBP".to_owned(),
        }),
        stock_tracked: Some(true),
        ..pb::Item::default()
    }
}

/// Earlier demos sold some, and other people's orders may too.
async fn top_up(sku: &str, wanted: i64, shop: &Shop) -> Result<(), Failure> {
    let missing = wanted - stock::fetch(sku, shop).await?.available;
    if missing <= 0 {
        return Ok(());
    }
    let key = new_key();
    let request = pb::AdjustStockRequest {
        sku: sku.to_owned(),
        delta: missing,
        reason: "demo".to_owned(),
        ..pb::AdjustStockRequest::default()
    };
    let answer = shop
        .inventory
        .change(&key, request, |mut client, request| async move {
            client.adjust_stock(request).await
        });
    answer.await.map(drop)
}

pub fn new_key() -> String {
    KeyArg {
        idempotency_key: None,
    }
    .or_new()
}
