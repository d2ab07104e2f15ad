use types::Sku;

use super::{App, Error};
use crate::{
    domain::{Item, Level, Refusal},
    store::{items, levels},
};

/// An item and its level at each location, in order of priority.
#[derive(Debug, Clone)]
pub struct Stock {
    pub item: Item,
    pub levels: Vec<Level>,
}

impl App {
    pub async fn get_stock(&self, sku: &Sku) -> Result<Stock, Error> {
        let mut tx = self.snapshot().await?;
        let item = items::list(&mut tx, &[sku.as_str()]).await?.pop();
        let item = item.ok_or_else(|| Refusal::ItemNotFound(sku.clone()))?;
        let levels = levels::list(&mut tx, &[sku.as_str()]).await?;
        Ok(Stock { item, levels })
    }
}
