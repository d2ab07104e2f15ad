//! Items and their stock before the first order.

use super::Options;
use crate::{
    failure::Failure,
    import::{
        parse::{Catalogue, Item, Stock},
        send::send,
    },
    replay::plan::Plan,
    shop::Shop,
};
use sha2::{Digest, Sha256};

/// The keys name the stock mode and the content: stock that was set is not set
/// again by the same replay, however far it came.
pub(super) async fn prepare(plan: &Plan, options: &Options, shop: &Shop) -> Result<(), Failure> {
    let catalogue = catalogue(plan, options.stock);
    let steps = catalogue.items.len() + catalogue.stock.len();
    let bar = (options.bar)("opening stock", steps);
    let key = key(&catalogue, options.stock);
    send(&catalogue, &key, options.concurrency, shop, &bar).await?;
    bar.finish_and_clear();
    Ok(())
}

fn catalogue(plan: &Plan, mode: crate::replay::plan::Stock) -> Catalogue {
    let items = plan.items.iter().map(|item| Item {
        sku: item.sku.clone(),
        title: item.title.clone(),
        price: None,
        stock_tracked: item.stock_tracked,
    });
    let stock = plan
        .opening_stock(mode)
        .into_iter()
        .map(|(sku, on_hand)| Stock {
            sku,
            location: None,
            on_hand,
        });
    Catalogue {
        items: items.collect(),
        stock: stock.collect(),
    }
}

fn key(catalogue: &Catalogue, mode: crate::replay::plan::Stock) -> String {
    let mut digest = Sha256::new();
    for item in &catalogue.items {
        digest.update(format!(
            "{}\t{}\t{}\n",
            item.sku, item.title, item.stock_tracked
        ));
    }
    for stock in &catalogue.stock {
        digest.update(format!("{}\t{}\n", stock.sku, stock.on_hand));
    }
    let digest = hex::encode(&digest.finalize()[..8]);
    format!("replay:{}:{digest}", mode.name())
}
