//! Makes a saga that waits run now. Asking for one that runs or has ended is
//! fine and changes nothing.

use database::Connection;
use idempotency::{Acted, Call, Effect, Request, Verb};
use types::OrderId;

use super::command::{Output, each, locked};
use super::{App, Error, Reply, Settled};
use crate::domain::Reach;
use crate::store::sagas;

struct RetrySaga;

impl App {
    pub async fn retry_saga(&self, request: Request, input: OrderId) -> Result<Settled, Error> {
        let settled = self.at_once(&RetrySaga, Call { request, input }).await;
        self.wake_worker();
        settled
    }
}

impl Verb for RetrySaga {
    type Input = OrderId;
    type Output = Output;
    type Error = Error;

    async fn act(
        &self,
        tx: &mut Connection,
        inputs: &[&OrderId],
    ) -> Result<Vec<Acted<Self>>, Error> {
        each!(inputs, input => one(&mut *tx, input))
    }
}

async fn one(tx: &mut Connection, id: &OrderId) -> Acted<RetrySaga> {
    sagas::wake(tx, *id).await?;
    let case = locked(tx, *id, None, &Reach::All).await?;
    let reply = Reply::SagaRetried(case.order.clone());
    Ok(Effect::Finished(Output::unchanged(reply, case)))
}
