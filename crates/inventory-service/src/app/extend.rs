use std::time::Duration;

use database::Connection;
use idempotency::{Acted, Answered, Call, Verb};
use types::OrderId;

use super::{App, Error, gathered::finished};
use crate::{domain::Reservation, store::stockroom};

/// Moves the end of a hold further away.
#[derive(Debug, Clone, Copy)]
pub struct Extend;

/// Which hold, and how long from now.
#[derive(Debug, Clone)]
pub struct Extension {
    pub order_id: OrderId,
    pub ttl: Duration,
}

/// The extended reservation.
#[derive(Debug, Clone)]
pub struct Extended(pub Reservation);

impl App {
    pub async fn extend(&self, call: Call<Extension>) -> Answered<Extend> {
        self.once(Extend, call).await
    }
}

impl Verb for Extend {
    type Input = Extension;
    type Output = Extended;
    type Error = Error;

    async fn act(
        &self,
        tx: &mut Connection,
        inputs: &[&Extension],
    ) -> Result<Vec<Acted<Self>>, Error> {
        let orders = inputs.iter().map(|input| input.order_id);
        let mut room = stockroom::for_orders(tx, orders).await?;
        let acted = inputs
            .iter()
            .map(|input| finished::<Self>(room.extend(input.order_id, input.ttl).map(Extended)))
            .collect();
        stockroom::save(tx, &room).await?;
        Ok(acted)
    }
}
