use database::Connection;
use idempotency::{Acted, Answered, Call, Verb};
use tracing::Span;
use types::OrderId;

use super::{App, Error, gathered::finished};
use crate::{domain::Reservation, store::stockroom};

/// Gives up what orders hold; leaves a tombstone for an order not known.
#[derive(Debug, Clone, Copy)]
pub struct Release;

/// Which order gives up what it has, and why.
#[derive(Debug, Clone)]
pub struct Surrender {
    pub order_id: OrderId,
    pub reason: String,
}

/// The released reservation, or the tombstone.
#[derive(Debug, Clone)]
pub struct Released(pub Reservation);

impl App {
    pub async fn release(&self, call: Call<Surrender>) -> Answered<Release> {
        self.release.call(call).await
    }

    pub async fn batch_release(
        &self,
        calls: Vec<(Span, Call<Surrender>)>,
    ) -> Vec<Answered<Release>> {
        self.release.call_many(calls).await
    }
}

impl Verb for Release {
    type Input = Surrender;
    type Output = Released;
    type Error = Error;

    async fn act(
        &self,
        tx: &mut Connection,
        inputs: &[&Surrender],
    ) -> Result<Vec<Acted<Self>>, Error> {
        let orders = inputs.iter().map(|input| input.order_id);
        let mut room = stockroom::for_orders(tx, orders).await?;
        let acted = inputs
            .iter()
            .map(|input| {
                let released = room.release(input.order_id, &input.reason);
                finished::<Self>(released.map(Released))
            })
            .collect();
        failpoint::around!(
            "inventory.release",
            "record",
            stockroom::save(tx, &room).await
        )?;
        Ok(acted)
    }
}
