//! Announces that shipped goods come back. Nothing moves yet.

use database::Connection;
use idempotency::{Acted, Call, Effect, Request, Verb};
use types::{OrderId, ReturnId};

use super::command::{Asker, Output, each, locked, store_work, write};
use super::{App, Error, Reply, Settled};
use crate::domain::{NewWork, WorkKind, WorkState};
use crate::store::orders::Times;

#[derive(Debug)]
pub struct NewReturn {
    pub id: ReturnId,
    pub order: OrderId,
    pub lines: Vec<(i32, i64)>,
    pub restock: bool,
    pub reason: String,
    pub etag: Option<i64>,
    pub asker: Asker,
}

struct AnnounceReturn {
    times: Times,
}

impl App {
    pub async fn create_return(
        &self,
        request: Request,
        input: NewReturn,
    ) -> Result<Settled, Error> {
        let verb = AnnounceReturn {
            times: self.times(),
        };
        self.at_once(&verb, Call { request, input }).await
    }
}

impl Verb for AnnounceReturn {
    type Input = NewReturn;
    type Output = Output;
    type Error = Error;

    async fn act(
        &self,
        tx: &mut Connection,
        inputs: &[&NewReturn],
    ) -> Result<Vec<Acted<Self>>, Error> {
        each!(inputs, input => self.one(&mut *tx, input))
    }
}

impl AnnounceReturn {
    async fn one(&self, tx: &mut Connection, input: &NewReturn) -> Acted<Self> {
        let mut case = locked(tx, input.order, input.etag, &input.asker.reach).await?;
        let (change, work) = case.announce_return(NewWork {
            id: input.id.as_uuid(),
            order_id: input.order,
            kind: WorkKind::Return,
            state: WorkState::Requested,
            lines: input.lines.clone(),
            tracking: String::new(),
            restock: input.restock,
            amount: None,
            reason: input.reason.clone(),
        })?;
        let work = store_work(tx, &mut case, work).await?;
        let changed = write(tx, case, change, &input.asker, self.times).await?;
        Ok(Effect::Finished(
            changed.output(|_| Reply::ReturnAnnounced(work)),
        ))
    }
}
