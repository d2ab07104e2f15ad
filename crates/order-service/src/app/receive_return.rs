//! Returned goods are here: put them back on the shelves, pay them back.

use database::Connection;
use idempotency::{Acted, Call, Effect, Request, Verb};
use rpc::Deadline;
use types::ReturnId;

use super::command::{Asker, Output, each, locked, write};
use super::{App, Error, Reply, Settled};
use crate::domain::{Work, WorkKind};
use crate::store::order_works;
use crate::store::orders::Times;

#[derive(Debug)]
pub struct Receive {
    pub id: ReturnId,
    pub asker: Asker,
}

struct ReceiveReturn {
    times: Times,
}

impl App {
    pub async fn receive_return(
        &self,
        request: Request,
        input: Receive,
        deadline: Deadline,
    ) -> Result<Settled, Error> {
        let id = input.id.as_uuid();
        let verb = ReceiveReturn {
            times: self.times(),
        };
        self.to_end(&verb, Call { request, input }, deadline, |output| {
            output.runs.then_some(id)
        })
        .await
    }
}

impl Verb for ReceiveReturn {
    type Input = Receive;
    type Output = Output;
    type Error = Error;

    async fn act(
        &self,
        tx: &mut Connection,
        inputs: &[&Receive],
    ) -> Result<Vec<Acted<Self>>, Error> {
        each!(inputs, input => self.one(&mut *tx, input))
    }
}

impl ReceiveReturn {
    async fn one(&self, tx: &mut Connection, input: &Receive) -> Acted<Self> {
        let order = returned(tx, input.id).await?.order_id;
        let mut case = locked(tx, order, None, &input.asker.reach).await?;
        // Read again: only under the lock does it stand still.
        let mut work = returned(tx, input.id).await?;
        let Some(change) = case.receive_return(&mut work)? else {
            let reply = Reply::ReturnReceived(work, case.order.clone());
            return Ok(Effect::Finished(Output::unchanged(reply, case)));
        };
        order_works::update(tx, &[&work]).await?;
        let changed = write(tx, case, change, &input.asker, self.times).await?;
        Ok(Effect::Started {
            resource: work.id,
            output: changed.output(|case| Reply::ReturnReceived(work, case.order.clone())),
        })
    }
}

async fn returned(tx: &mut Connection, id: ReturnId) -> Result<Work, Error> {
    let work = order_works::get(tx, id.as_uuid()).await?;
    let work = work.filter(|work| work.kind == WorkKind::Return);
    work.ok_or_else(|| Error::NotFound {
        kind: "return",
        name: id.to_string(),
    })
}
