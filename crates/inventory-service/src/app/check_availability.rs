use std::collections::BTreeMap;

use types::{Money, Sku};

use super::{App, Error};
use crate::{
    domain::{Demand, Item, Level},
    store::{items, levels},
};

/// What there is of one SKU at this moment.
#[derive(Debug, Clone)]
pub struct Availability {
    pub sku: Sku,
    pub requested: i64,
    pub available: i64,
    /// False when the item was never registered.
    pub known: bool,
    pub list_price: Option<Money>,
}

impl Availability {
    pub fn is_enough(&self) -> bool {
        self.known && self.available >= self.requested
    }
}

impl App {
    /// Promises nothing. In order of SKU.
    pub async fn check_availability(&self, demand: &Demand) -> Result<Vec<Availability>, Error> {
        let skus: Vec<&str> = demand.iter().map(|(sku, _)| sku.as_str()).collect();
        let mut conn = self.db.acquire().await?;
        let items = items::list(&mut conn, &skus).await?.into_iter();
        let items: BTreeMap<Sku, Item> = items.map(|item| (item.sku.clone(), item)).collect();
        let levels = levels::list(&mut conn, &skus).await?;
        let mut reservable = BTreeMap::new();
        for level in &levels {
            *reservable.entry(&level.sku).or_insert(0) += Level::reservable(level);
        }
        let availability = |(sku, requested): (&Sku, i64)| {
            let item = items.get(sku);
            let is_tracked = item.is_none_or(|item| item.stock_tracked);
            let counted = reservable.get(sku).copied().unwrap_or(0);
            Availability {
                sku: sku.clone(),
                requested,
                available: if is_tracked { counted } else { requested },
                known: item.is_some(),
                list_price: item.and_then(|item| item.list_price),
            }
        };
        Ok(demand.iter().map(availability).collect())
    }
}
