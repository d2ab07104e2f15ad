//! Gives money back without goods.

use database::Connection;
use idempotency::{Acted, Call, Effect, Request, Verb};
use rpc::Deadline;
use types::{Money, OrderId, RefundId};

use super::command::{Asker, Output, each, locked, store_work, write};
use super::{App, Error, Reply, Settled};
use crate::domain::{NewWork, Refusal, WorkKind, WorkState};
use crate::store::orders::Times;

#[derive(Debug)]
pub struct NewRefund {
    pub id: RefundId,
    pub order: OrderId,
    /// `None`: all that is left.
    pub amount: Option<Money>,
    pub reason: String,
    pub etag: Option<i64>,
    pub asker: Asker,
}

struct RefundOrder {
    times: Times,
}

impl App {
    pub async fn refund_order(
        &self,
        request: Request,
        input: NewRefund,
        deadline: Deadline,
    ) -> Result<Settled, Error> {
        let id = input.id.as_uuid();
        let verb = RefundOrder {
            times: self.times(),
        };
        self.to_end(&verb, Call { request, input }, deadline, |_| Some(id))
            .await
    }
}

impl Verb for RefundOrder {
    type Input = NewRefund;
    type Output = Output;
    type Error = Error;

    async fn act(
        &self,
        tx: &mut Connection,
        inputs: &[&NewRefund],
    ) -> Result<Vec<Acted<Self>>, Error> {
        each!(inputs, input => self.one(&mut *tx, input))
    }
}

impl RefundOrder {
    async fn one(&self, tx: &mut Connection, input: &NewRefund) -> Acted<Self> {
        let mut case = locked(tx, input.order, input.etag, &input.asker.reach).await?;
        let currency = case.order.currency;
        if let Some(amount) = input.amount.filter(|amount| amount.currency() != currency) {
            let message = format!(
                "amount: the order is in {currency}, got {}",
                amount.currency()
            );
            return Err(Refusal::new("CURRENCY_MISMATCH", message).into());
        }
        let (change, work) = case.refund(NewWork {
            id: input.id.as_uuid(),
            order_id: input.order,
            kind: WorkKind::Refund,
            state: WorkState::Running,
            lines: Vec::new(),
            tracking: String::new(),
            restock: false,
            amount: input.amount,
            reason: input.reason.clone(),
        })?;
        let work = store_work(tx, &mut case, work).await?;
        let changed = write(tx, case, change, &input.asker, self.times).await?;
        Ok(Effect::Started {
            resource: work.id,
            output: changed.output(|case| Reply::Refund(work, case.order.clone())),
        })
    }
}
