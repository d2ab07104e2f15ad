//! A person decides for an order that automation gave up on.

use database::Connection;
use idempotency::{Acted, Call, Effect, Request, Verb};
use types::OrderId;

use super::command::{Asker, Output, each, locked, write};
use super::{App, Error, Reply, Settled};
use crate::domain::Resolution;
use crate::store::orders::Times;

#[derive(Debug)]
pub struct Resolve {
    pub order: OrderId,
    pub resolution: Resolution,
    pub reason: String,
    pub etag: Option<i64>,
    pub asker: Asker,
}

struct ResolveSaga {
    times: Times,
}

impl App {
    pub async fn resolve_saga(&self, request: Request, input: Resolve) -> Result<Settled, Error> {
        let verb = ResolveSaga {
            times: self.times(),
        };
        self.at_once(&verb, Call { request, input }).await
    }
}

impl Verb for ResolveSaga {
    type Input = Resolve;
    type Output = Output;
    type Error = Error;

    async fn act(
        &self,
        tx: &mut Connection,
        inputs: &[&Resolve],
    ) -> Result<Vec<Acted<Self>>, Error> {
        each!(inputs, input => self.one(&mut *tx, input))
    }
}

impl ResolveSaga {
    async fn one(&self, tx: &mut Connection, input: &Resolve) -> Acted<Self> {
        let mut case = locked(tx, input.order, input.etag, &input.asker.reach).await?;
        let reply = |order| Reply::SagaResolved(order);
        let Some(change) = case.resolve(input.resolution, &input.reason)? else {
            let reply = reply(case.order.clone());
            return Ok(Effect::Finished(Output::unchanged(reply, case)));
        };
        let changed = write(tx, case, change, &input.asker, self.times).await?;
        Ok(Effect::Finished(
            changed.output(|case| reply(case.order.clone())),
        ))
    }
}
