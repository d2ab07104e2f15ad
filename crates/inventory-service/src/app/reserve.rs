use database::Connection;
use idempotency::{Acted, Answered, Call, Verb};

use super::{App, Error, gathered::finished};
use crate::{
    domain::{Reservation, Wish},
    store::stockroom,
};

/// Holds stock for orders. Calls for one SKU are decided in order of arrival;
/// an overdue hold never stands in the way of one.
#[derive(Debug, Clone, Copy)]
pub struct Reserve;

/// The reservation that was made or already stood.
#[derive(Debug, Clone)]
pub struct Reserved(pub Reservation);

impl App {
    pub async fn reserve(&self, call: Call<Wish>) -> Answered<Reserve> {
        self.reserve.call(call).await
    }

    pub async fn batch_reserve(&self, calls: Vec<Call<Wish>>) -> Vec<Answered<Reserve>> {
        self.reserve.call_many(calls).await
    }
}

impl Verb for Reserve {
    type Input = Wish;
    type Output = Reserved;
    type Error = Error;

    async fn act(&self, tx: &mut Connection, wishes: &[&Wish]) -> Result<Vec<Acted<Self>>, Error> {
        let mut room = stockroom::for_wishes(tx, wishes).await?;
        room.expire_overdue();
        let acted = wishes
            .iter()
            .map(|wish| finished::<Self>(room.reserve(wish).map(Reserved)))
            .collect();
        stockroom::save(tx, &room).await?;
        Ok(acted)
    }
}
