use database::Connection;
use idempotency::{Acted, Answered, Call, Verb};

use super::{App, Error, gathered::finished};
use crate::{
    domain::{Adjusted, Adjustment, Refusal},
    metrics,
    store::stockroom,
};

/// Changes the stock on hand by signed units.
#[derive(Debug, Clone, Copy)]
pub struct AdjustStock;

/// The level after the change, and the orders it cost.
#[derive(Debug, Clone)]
pub struct StockAdjusted(pub Adjusted);

impl App {
    pub async fn adjust_stock(&self, call: Call<Adjustment>) -> Answered<AdjustStock> {
        let answer = self.adjust_stock.call(call).await;
        metrics::corrected::<AdjustStock>(&answer, |adjusted| &adjusted.0);
        answer
    }
}

impl Verb for AdjustStock {
    type Input = Adjustment;
    type Output = StockAdjusted;
    type Error = Error;

    async fn act(
        &self,
        tx: &mut Connection,
        adjustments: &[&Adjustment],
    ) -> Result<Vec<Acted<Self>>, Error> {
        let adjusted = adjust(tx, adjustments).await?;
        Ok(adjusted
            .into_iter()
            .map(|adjusted| finished::<Self>(adjusted.map(StockAdjusted)))
            .collect())
    }
}

/// Shared with SetStock.
pub(super) async fn adjust(
    tx: &mut Connection,
    adjustments: &[&Adjustment],
) -> Result<Vec<Result<Adjusted, Refusal>>, Error> {
    let mut room = stockroom::for_adjustments(tx, adjustments).await?;
    let adjusted = adjustments.iter().map(|one| room.adjust(one)).collect();
    stockroom::save(tx, &room).await?;
    Ok(adjusted)
}
