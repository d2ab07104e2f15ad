use database::Connection;
use idempotency::{Acted, Answered, Call, Verb};
use tracing::Span;
use types::OrderId;

use super::{App, Error, gathered::finished};
use crate::{domain::Reservation, store::stockroom};

/// Turns holds into promises without an end. A hold that is overdue by the
/// database's clock is expired on the spot, swept or not.
#[derive(Debug, Clone, Copy)]
pub struct Commit;

/// The committed reservation.
#[derive(Debug, Clone)]
pub struct Committed(pub Reservation);

impl App {
    pub async fn commit(&self, call: Call<OrderId>) -> Answered<Commit> {
        self.commit.call(call).await
    }

    pub async fn batch_commit(&self, calls: Vec<(Span, Call<OrderId>)>) -> Vec<Answered<Commit>> {
        self.commit.call_many(calls).await
    }
}

impl Verb for Commit {
    type Input = OrderId;
    type Output = Committed;
    type Error = Error;

    async fn act(
        &self,
        tx: &mut Connection,
        orders: &[&OrderId],
    ) -> Result<Vec<Acted<Self>>, Error> {
        let mut room = stockroom::for_orders(tx, orders.iter().copied().copied()).await?;
        let acted = orders
            .iter()
            .map(|order_id| finished::<Self>(room.commit(**order_id).map(Committed)))
            .collect();
        failpoint::around!(
            "inventory.commit",
            "record",
            stockroom::save(tx, &room).await
        )?;
        Ok(acted)
    }
}
