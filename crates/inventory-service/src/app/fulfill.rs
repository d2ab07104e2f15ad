use database::Connection;
use idempotency::{Acted, Answered, Call, Verb};

use super::{App, Error, gathered::finished};
use crate::{
    domain::{Reservation, Shipment},
    store::stockroom,
};

/// Takes promised goods off the shelves, once for each fulfillment id.
#[derive(Debug, Clone, Copy)]
pub struct Fulfill;

/// The reservation after goods left.
#[derive(Debug, Clone)]
pub struct Fulfilled(pub Reservation);

impl App {
    pub async fn fulfill(&self, call: Call<Shipment>) -> Answered<Fulfill> {
        self.fulfill.call(call).await
    }
}

impl Verb for Fulfill {
    type Input = Shipment;
    type Output = Fulfilled;
    type Error = Error;

    async fn act(
        &self,
        tx: &mut Connection,
        shipments: &[&Shipment],
    ) -> Result<Vec<Acted<Self>>, Error> {
        let ids: Vec<_> = shipments
            .iter()
            .map(|shipment| (shipment.order_id, shipment.fulfillment_id.as_uuid()))
            .collect();
        let mut room = stockroom::for_shipments(tx, &ids).await?;
        let acted = shipments
            .iter()
            .map(|shipment| finished::<Self>(room.fulfill(shipment).map(Fulfilled)))
            .collect();
        failpoint::around!(
            "inventory.fulfill",
            "record",
            stockroom::save(tx, &room).await
        )?;
        Ok(acted)
    }
}
