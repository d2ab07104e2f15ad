//! Ships all or part of an order.

use database::Connection;
use idempotency::{Acted, Call, Effect, Request, Verb};
use rpc::Deadline;
use types::{FulfillmentId, OrderId};

use super::command::{Asker, Output, each, locked, store_work, write};
use super::{App, Error, Reply, Settled};
use crate::domain::{NewWork, WorkKind, WorkState};
use crate::store::orders::Times;

#[derive(Debug)]
pub struct NewFulfillment {
    pub id: FulfillmentId,
    pub order: OrderId,
    /// Empty: all that has not shipped.
    pub lines: Vec<(i32, i64)>,
    pub tracking: String,
    pub etag: Option<i64>,
    pub asker: Asker,
}

struct CreateFulfillment {
    times: Times,
}

impl App {
    pub async fn create_fulfillment(
        &self,
        request: Request,
        input: NewFulfillment,
        deadline: Deadline,
    ) -> Result<Settled, Error> {
        let id = input.id.as_uuid();
        let verb = CreateFulfillment {
            times: self.times(),
        };
        self.to_end(&verb, Call { request, input }, deadline, |_| Some(id))
            .await
    }
}

impl Verb for CreateFulfillment {
    type Input = NewFulfillment;
    type Output = Output;
    type Error = Error;

    async fn act(
        &self,
        tx: &mut Connection,
        inputs: &[&NewFulfillment],
    ) -> Result<Vec<Acted<Self>>, Error> {
        each!(inputs, input => self.one(&mut *tx, input))
    }
}

impl CreateFulfillment {
    async fn one(&self, tx: &mut Connection, input: &NewFulfillment) -> Acted<Self> {
        let mut case = locked(tx, input.order, input.etag, &input.asker.reach).await?;
        let (change, work) = case.fulfill(NewWork {
            id: input.id.as_uuid(),
            order_id: input.order,
            kind: WorkKind::Fulfillment,
            state: WorkState::Running,
            lines: input.lines.clone(),
            tracking: input.tracking.clone(),
            restock: false,
            amount: None,
            reason: String::new(),
        })?;
        let work = store_work(tx, &mut case, work).await?;
        let changed = write(tx, case, change, &input.asker, self.times).await?;
        Ok(Effect::Started {
            resource: work.id,
            output: changed.output(|case| Reply::Fulfillment(work, case.order.clone())),
        })
    }
}
