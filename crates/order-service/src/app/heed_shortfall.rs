//! What the other services tell: a payment that moved, stock that is missing.
//! Both run in the transaction of the consumer that got the message.

use database::Connection;
use types::OrderId;

use super::command::{Asker, locked, write};
use super::{App, Error};
use crate::store::sagas;

impl App {
    /// Something happened to the payment of an order: if its saga waits, it
    /// looks at once.
    pub async fn heed_payment(&self, tx: &mut Connection, order: OrderId) -> Result<(), Error> {
        if sagas::wake(tx, order).await? {
            self.wake_worker();
        }
        Ok(())
    }

    /// Stock that was promised to an order is gone. An order that is not known
    /// here, or for which it does not matter any more, is left alone.
    pub async fn heed_shortfall(
        &self,
        tx: &mut Connection,
        order: OrderId,
        message: String,
        asker: &Asker,
    ) -> Result<(), Error> {
        let mut case = match locked(tx, order, None, &asker.reach).await {
            Ok(case) => case,
            Err(Error::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        if let Some(change) = case.short_of_stock(message) {
            write(tx, case, change, asker, self.times()).await?;
        }
        Ok(())
    }
}
