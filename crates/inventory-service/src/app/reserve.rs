use database::Connection;
use idempotency::{Acted, Answered, Call, Verb};
use tracing::Span;

use super::{App, Error, gathered::finished};
use crate::{
    domain::{Refusal, Reservation, Stockroom, Wish},
    metrics,
    store::stockroom,
};

/// Holds stock for orders. Calls for one SKU are decided in order of arrival;
/// an overdue hold never stands in the way of one.
#[derive(Debug, Clone, Copy)]
pub struct Reserve;

/// The reservation that was made or already stood.
#[derive(Debug, Clone)]
pub struct Reserved(pub Reservation, pub Held);

/// When a reservation was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    Now,
    /// Another call has made it.
    Before,
}

impl App {
    pub async fn reserve(&self, call: Call<Wish>) -> Answered<Reserve> {
        let answer = self.reserve.call(call).await;
        metrics::reserved(&answer);
        answer
    }

    pub async fn batch_reserve(&self, calls: Vec<(Span, Call<Wish>)>) -> Vec<Answered<Reserve>> {
        let answers = self.reserve.call_many(calls).await;
        answers.iter().for_each(metrics::reserved);
        answers
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
            .map(|wish| finished::<Self>(reserve(&mut room, wish)))
            .collect();
        failpoint::around!(
            "inventory.reserve",
            "record",
            stockroom::save(tx, &room).await
        )?;
        Ok(acted)
    }
}

fn reserve(room: &mut Stockroom, wish: &Wish) -> Result<Reserved, Refusal> {
    let before = room.reservations.get(&wish.order_id);
    let before = before.map(|reservation| reservation.version);
    let reservation = room.reserve(wish)?;
    let held = match before == Some(reservation.version) {
        true => Held::Before,
        false => Held::Now,
    };
    Ok(Reserved(reservation, held))
}
