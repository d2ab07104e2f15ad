//! Sends a catalogue to inventory-service.

use std::time::Duration;

use api::inventory::v1 as pb;
use futures::{StreamExt, TryStreamExt, stream};
use indicatif::ProgressBar;

use super::parse::{Catalogue, Item, Stock};
use crate::{failure::Failure, shop::Shop};

/// The most items that one call takes.
const ITEMS_PER_CALL: usize = 1000;
const PATIENCE: Duration = Duration::from_secs(60);

/// Creates or changes the items, then sets the stock, both under keys that
/// begin with `key`: the same key and catalogue again change nothing.
///
/// # Errors
/// The first refusal; what was sent before it stays.
pub async fn send(
    catalogue: &Catalogue,
    key: &str,
    concurrency: usize,
    shop: &Shop,
    progress: &ProgressBar,
) -> Result<(), Failure> {
    upsert(&catalogue.items, key, shop, progress).await?;
    let set = stream::iter(&catalogue.stock).map(|stock| async move {
        set(stock, key, shop).await?;
        progress.inc(1);
        Ok(())
    });
    set.buffer_unordered(concurrency.max(1)).try_collect().await
}

async fn upsert(
    items: &[Item],
    key: &str,
    shop: &Shop,
    progress: &ProgressBar,
) -> Result<(), Failure> {
    for (number, chunk) in items.chunks(ITEMS_PER_CALL).enumerate() {
        let request = pb::BatchUpsertItemsRequest {
            items: chunk.iter().map(item).collect(),
        };
        let key = format!("{key}:items:{number}");
        let answer =
            shop.inventory
                .insist(&key, request, PATIENCE, |mut client, request| async move {
                    client.batch_upsert_items(request).await
                });
        answer.await?;
        progress.inc(chunk.len() as u64);
    }
    Ok(())
}

fn item(item: &Item) -> pb::Item {
    pb::Item {
        sku: item.sku.to_string(),
        title: item.title.clone(),
        list_price: item.price.map(Into::into),
        stock_tracked: Some(item.stock_tracked),
        backorder_limit: 0,
        etag: String::new(),
    }
}

async fn set(stock: &Stock, key: &str, shop: &Shop) -> Result<(), Failure> {
    let location = stock.location.as_ref().map(ToString::to_string);
    let location = location.unwrap_or_default();
    let key = format!("{key}:stock:{location}:{}", stock.sku);
    let request = pb::SetStockRequest {
        sku: stock.sku.to_string(),
        location_id: location,
        on_hand: stock.on_hand,
        reason: "import".to_owned(),
        ..pb::SetStockRequest::default()
    };
    let answer = shop
        .inventory
        .insist(&key, request, PATIENCE, |mut client, request| async move {
            client.set_stock(request).await
        });
    answer.await.map(drop)
}
