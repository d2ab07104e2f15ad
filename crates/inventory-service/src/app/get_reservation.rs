use types::OrderId;

use super::{App, Error};
use crate::{
    domain::{Refusal, Reservation},
    store::{reservation_lines, reservations},
};

impl App {
    pub async fn get_reservation(&self, order_id: OrderId) -> Result<Reservation, Error> {
        let mut tx = self.snapshot().await?;
        let found = reservations::get(&mut tx, order_id).await?;
        let Some(found) = found else {
            return Err(Refusal::ReservationNotFound(order_id).into());
        };
        let mut found = [found];
        reservation_lines::fill(&mut tx, &mut found).await?;
        let [found] = found;
        Ok(found)
    }
}
