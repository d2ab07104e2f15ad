//! Cancels an order. The lock on its row decides against a confirmation that
//! runs at the same time; what is under way at a peer is undone afterwards.

use database::Connection;
use idempotency::{Acted, Call, Effect, Request, Verb};
use rpc::Deadline;
use types::OrderId;

use super::command::{Asker, Output, each, locked, write};
use super::{App, Error, Reply, Settled};
use crate::domain::State;
use crate::store::orders::Times;

#[derive(Debug)]
pub struct Cancel {
    pub order: OrderId,
    pub reason: String,
    pub etag: Option<i64>,
    pub asker: Asker,
}

struct CancelOrder {
    times: Times,
}

impl App {
    pub async fn cancel_order(
        &self,
        request: Request,
        input: Cancel,
        deadline: Deadline,
    ) -> Result<Settled, Error> {
        let verb = CancelOrder {
            times: self.times(),
        };
        self.to_end(&verb, Call { request, input }, deadline, |output| {
            output.runs.then(|| output.order_id().as_uuid())
        })
        .await
    }
}

impl Verb for CancelOrder {
    type Input = Cancel;
    type Output = Output;
    type Error = Error;

    async fn act(
        &self,
        tx: &mut Connection,
        inputs: &[&Cancel],
    ) -> Result<Vec<Acted<Self>>, Error> {
        each!(inputs, input => self.one(&mut *tx, input))
    }
}

impl CancelOrder {
    async fn one(&self, tx: &mut Connection, input: &Cancel) -> Acted<Self> {
        let mut case = locked(tx, input.order, input.etag, &input.asker.reach).await?;
        let Some(change) = case.cancel(&input.reason)? else {
            // Cancelled, or on its way there under the call that began it.
            let reply = Reply::Cancelled(case.order.clone());
            return Ok(Effect::Finished(Output::unchanged(reply, case)));
        };
        let changed = write(tx, case, change, &input.asker, self.times).await?;
        let output = changed.output(|case| Reply::Cancelled(case.order.clone()));
        debug_assert_eq!(output.case.order.state, State::Compensating);
        Ok(Effect::Started {
            resource: input.order.as_uuid(),
            output,
        })
    }
}
