//! The two services that an order needs. A step of the saga goes in, an answer
//! in the words of the domain comes out; messages and statuses of the peers
//! are known in here only. Nothing is decided and nothing is stored here.

mod failure;
mod inventory;
mod ledger;
mod payments;
mod streams;

use std::time::Duration;

use uuid::Uuid;

use crate::domain::{Answer, Case, Order, Refusal, Step, Task, Work};
use failure::Failure;
pub use failure::Trouble;
use inventory::Inventory;
use payments::Payments;

/// Where the peers are and how long they may take.
#[derive(Debug, Clone)]
pub struct Settings {
    pub inventory: rpc::PeerSettings,
    pub payment: rpc::PeerSettings,
    /// How long stock is held for an order that is not confirmed yet.
    pub hold: Duration,
}

#[derive(Debug, Clone)]
pub struct Peers {
    inventory: Inventory,
    payments: Payments,
}

impl Peers {
    /// Starts the gatherers on the current runtime.
    pub fn connect(settings: &Settings) -> Result<Self, rpc::Error> {
        Ok(Self {
            inventory: Inventory::connect(&settings.inventory, settings.hold)?,
            payments: Payments::connect(&settings.payment)?,
        })
    }

    /// Asks what `step` needs. Every question carries a key of the order's own,
    /// so that asking again, here or by another process, has no second effect.
    pub async fn ask(&self, case: &Case, step: Step) -> Result<Answer, Trouble> {
        let order = &case.order;
        let answer = match step {
            Step::Reserve { round } => self.inventory.reserve(order, round).await,
            Step::Commit { round } => self.inventory.commit(order, round).await,
            Step::Release => self.inventory.release(order).await,
            Step::Pay => self.payments.create(order).await,
            Step::AskPayment => self.payments.outcome(order).await,
            Step::Capture => self.payments.capture(order).await,
            Step::DropAttempt => self.payments.drop_attempt(order).await,
            Step::Void => self.payments.void(order).await,
            Step::RefundRest => self.payments.refund_rest(order).await,
            Step::Work(task) => self.work(order, case, task).await,
            Step::Confirm | Step::Conclude | Step::Rest => Ok(Answer::Done),
        };
        match answer {
            Ok(answer) => Ok(answer),
            Err(Failure::Refused(refusal)) => Ok(Answer::Refused(refusal)),
            Err(Failure::Later(trouble)) => Err(trouble),
        }
    }

    async fn work(&self, order: &Order, case: &Case, task: Task) -> Result<Answer, Failure> {
        match task {
            Task::Ship(id) => self.inventory.ship(order, known(case, id)?).await,
            Task::Restock(id) => self.inventory.restock(order, known(case, id)?).await,
            Task::PayBack(id) => self.payments.pay_back(order, known(case, id)?).await,
            Task::Close(_) => Ok(Answer::Done),
        }
    }
}

fn known(case: &Case, id: Uuid) -> Result<&Work, Failure> {
    let missing = || Failure::Refused(Refusal::new("INTERNAL", "the work is not at hand"));
    case.work(id).ok_or_else(missing)
}
