use database::Connection;
use idempotency::{Acted, Answered, Call, Verb};

use super::{App, Error, gathered::finished};
use crate::{
    domain::{GoodsBack, Reservation},
    store::stockroom,
};

/// Puts goods back on the shelves, once for each return id.
#[derive(Debug, Clone, Copy)]
pub struct ReturnToStock;

/// The reservation that the goods came from.
#[derive(Debug, Clone)]
pub struct Returned(pub Reservation);

impl App {
    pub async fn return_to_stock(&self, call: Call<GoodsBack>) -> Answered<ReturnToStock> {
        self.return_to_stock.call(call).await
    }
}

impl Verb for ReturnToStock {
    type Input = GoodsBack;
    type Output = Returned;
    type Error = Error;

    async fn act(
        &self,
        tx: &mut Connection,
        returns: &[&GoodsBack],
    ) -> Result<Vec<Acted<Self>>, Error> {
        let inbound: Vec<_> = returns
            .iter()
            .map(|back| {
                let location = back.location_id.as_ref();
                (back.order_id, back.return_id.as_uuid(), location)
            })
            .collect();
        let mut room = stockroom::for_returns(tx, &inbound).await?;
        let acted = returns
            .iter()
            .map(|back| finished::<Self>(room.return_to_stock(back).map(Returned)))
            .collect();
        failpoint::around!(
            "inventory.return",
            "record",
            stockroom::save(tx, &room).await
        )?;
        Ok(acted)
    }
}
