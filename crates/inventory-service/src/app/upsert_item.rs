use std::collections::{BTreeMap, BTreeSet};

use database::Connection;
use idempotency::{Acted, Answered, Call, Effect, Verb};
use types::Sku;

use super::{App, Error};
use crate::{
    domain::{Item, Refusal},
    store::{items, levels},
};

/// Creates or changes an item.
#[derive(Debug, Clone, Copy)]
pub struct UpsertItem;

/// An item to be stored; the item's own version is of no account.
#[derive(Debug, Clone)]
pub struct ItemChange {
    pub item: Item,
    /// Only if this is the stored version.
    pub version: Option<i64>,
}

/// The item as stored.
#[derive(Debug, Clone)]
pub struct ItemStored(pub Item);

impl App {
    pub async fn upsert_item(&self, call: Call<ItemChange>) -> Answered<UpsertItem> {
        self.once(UpsertItem, call).await
    }
}

impl Verb for UpsertItem {
    type Input = ItemChange;
    type Output = ItemStored;
    type Error = Error;

    async fn act(
        &self,
        tx: &mut Connection,
        changes: &[&ItemChange],
    ) -> Result<Vec<Acted<Self>>, Error> {
        let mut acted = Vec::with_capacity(changes.len());
        for change in changes {
            let stored = upsert(tx, std::slice::from_ref(*change)).await?;
            let stored = stored.and_then(|stored| {
                let missing = || Refusal::ItemNotFound(change.item.sku.clone());
                stored.into_iter().next().ok_or_else(missing)
            });
            acted.push(
                stored
                    .map(ItemStored)
                    .map(Effect::Finished)
                    .map_err(Error::from),
            );
        }
        Ok(acted)
    }
}

/// All or none; each SKU once. Gives the items in the order of `changes`.
pub(super) async fn upsert(
    tx: &mut Connection,
    changes: &[ItemChange],
) -> Result<Result<Vec<Item>, Refusal>, Error> {
    let skus: Vec<&str> = changes
        .iter()
        .map(|change| change.item.sku.as_str())
        .collect();
    let before = items::lock(tx, &skus).await?.into_iter();
    let before: BTreeMap<Sku, Item> = before.map(|item| (item.sku.clone(), item)).collect();
    if let Err(refusal) = check_versions(changes, &before) {
        return Ok(Err(refusal));
    }
    let limited: Vec<&Item> = changes
        .iter()
        .map(|change| &change.item)
        .filter(|item| {
            let old = before.get(&item.sku);
            old.is_some_and(|old| old.backorder_limit != item.backorder_limit)
        })
        .collect();
    if let Err(refusal) = check_promises(tx, &limited).await? {
        return Ok(Err(refusal));
    }
    let fresh: Vec<&Item> = changes.iter().map(|change| &change.item).collect();
    let stored = items::upsert(tx, &fresh).await?.into_iter();
    if !limited.is_empty() {
        let skus: Vec<&str> = limited.iter().map(|item| item.sku.as_str()).collect();
        levels::copy_backorder_limits(tx, &skus).await?;
    }
    let mut stored: BTreeMap<Sku, Item> = stored.map(|item| (item.sku.clone(), item)).collect();
    let stored = changes
        .iter()
        .filter_map(|change| stored.remove(&change.item.sku));
    Ok(Ok(stored.collect()))
}

fn check_versions(changes: &[ItemChange], before: &BTreeMap<Sku, Item>) -> Result<(), Refusal> {
    for change in changes {
        let stored = before.get(&change.item.sku).map(|item| item.version);
        if change.version.is_some() && change.version != stored {
            return Err(Refusal::EtagMismatch {
                kind: "item",
                name: change.item.sku.to_string(),
            });
        }
    }
    Ok(())
}

/// Locks the levels of items whose backorder limit changes, and refuses a
/// limit below what is promised already.
async fn check_promises(
    tx: &mut Connection,
    limited: &[&Item],
) -> Result<Result<(), Refusal>, Error> {
    let skus: BTreeSet<&str> = limited.iter().map(|item| item.sku.as_str()).collect();
    if skus.is_empty() {
        return Ok(Ok(()));
    }
    let skus: Vec<&str> = skus.into_iter().collect();
    for level in levels::lock_skus(tx, &skus).await? {
        let item = limited.iter().find(|item| item.sku == level.sku);
        let limit = item.map_or(level.backorder_limit, |item| item.backorder_limit);
        if level.promised() > level.on_hand + limit {
            return Ok(Err(Refusal::StockCommitted {
                promised: level.promised(),
                sku: level.sku,
                location_id: level.location_id,
            }));
        }
    }
    Ok(Ok(()))
}
