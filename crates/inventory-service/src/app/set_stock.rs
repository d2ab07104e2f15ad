use database::Connection;
use idempotency::{Acted, Answered, Call, Verb};

use super::{App, Error, adjust_stock::adjust, gathered::finished};
use crate::{
    domain::{Adjusted, Adjustment},
    metrics,
};

/// Sets the stock on hand, for example after a count.
#[derive(Debug, Clone, Copy)]
pub struct SetStock;

/// The level after the change, and the orders it cost.
#[derive(Debug, Clone)]
pub struct StockSet(pub Adjusted);

impl App {
    pub async fn set_stock(&self, call: Call<Adjustment>) -> Answered<SetStock> {
        let answer = self.set_stock.call(call).await;
        metrics::corrected::<SetStock>(&answer, |set| &set.0);
        answer
    }
}

impl Verb for SetStock {
    type Input = Adjustment;
    type Output = StockSet;
    type Error = Error;

    async fn act(
        &self,
        tx: &mut Connection,
        adjustments: &[&Adjustment],
    ) -> Result<Vec<Acted<Self>>, Error> {
        let adjusted = adjust(tx, adjustments).await?;
        Ok(adjusted
            .into_iter()
            .map(|adjusted| finished::<Self>(adjusted.map(StockSet)))
            .collect())
    }
}
