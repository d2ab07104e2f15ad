use database::Connection;
use idempotency::{Acted, Answered, Call, Verb};

use super::{App, Error, gathered::finished};
use crate::{
    domain::{Transfer, Transferred},
    store::stockroom,
};

/// Moves free stock from one location to another.
#[derive(Debug, Clone, Copy)]
pub struct TransferStock;

/// Both levels after the move.
#[derive(Debug, Clone)]
pub struct StockTransferred(pub Transferred);

impl App {
    pub async fn transfer_stock(&self, call: Call<Transfer>) -> Answered<TransferStock> {
        self.once(TransferStock, call).await
    }
}

impl Verb for TransferStock {
    type Input = Transfer;
    type Output = StockTransferred;
    type Error = Error;

    async fn act(
        &self,
        tx: &mut Connection,
        transfers: &[&Transfer],
    ) -> Result<Vec<Acted<Self>>, Error> {
        let spots: Vec<_> = transfers.iter().flat_map(|one| one.spots()).collect();
        let mut room = stockroom::for_transfers(tx, &spots).await?;
        let acted = transfers
            .iter()
            .map(|one| finished::<Self>(room.transfer(one).map(StockTransferred)))
            .collect();
        stockroom::save(tx, &room).await?;
        Ok(acted)
    }
}
