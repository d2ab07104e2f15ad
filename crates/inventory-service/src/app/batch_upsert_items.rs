use database::Connection;
use idempotency::{Acted, Answered, Call, Effect, Verb};

use super::{
    App, Error,
    upsert_item::{ItemChange, upsert},
};
use crate::domain::Item;

/// Creates or changes items: all or none.
#[derive(Debug, Clone, Copy)]
pub struct BatchUpsertItems;

/// The items as stored, in the order of the request.
#[derive(Debug, Clone)]
pub struct ItemsStored(pub Vec<Item>);

impl App {
    pub async fn batch_upsert_items(
        &self,
        call: Call<Vec<ItemChange>>,
    ) -> Answered<BatchUpsertItems> {
        self.once(BatchUpsertItems, call).await
    }
}

impl Verb for BatchUpsertItems {
    type Input = Vec<ItemChange>;
    type Output = ItemsStored;
    type Error = Error;

    async fn act(
        &self,
        tx: &mut Connection,
        batches: &[&Vec<ItemChange>],
    ) -> Result<Vec<Acted<Self>>, Error> {
        let mut acted = Vec::with_capacity(batches.len());
        for changes in batches {
            let stored = upsert(tx, changes).await?;
            acted.push(
                stored
                    .map(ItemsStored)
                    .map(Effect::Finished)
                    .map_err(Error::from),
            );
        }
        Ok(acted)
    }
}
