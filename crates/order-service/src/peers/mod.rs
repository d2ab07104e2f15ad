//! The two services that an order needs. A step of the saga goes in, an answer
//! in the words of the domain comes out; messages and statuses of the peers
//! are known in here only. Nothing is decided and nothing is stored here.

mod failure;
mod inventory;
mod ledger;
mod payments;
mod streams;

use std::time::Duration;

use listener::tls::Connector;
use rpc::{Authorized, PeerSettings, Token};
use types::OrderId;
use uuid::Uuid;

use crate::domain::{Answer, Case, Order, PaymentBook, Refusal, Step, Task, Work};
use failure::Failure;
pub use failure::Trouble;
use inventory::Inventory;
use payments::Payments;

/// Where the peers are and how long they may take.
#[derive(Debug, Clone)]
pub struct Settings {
    pub inventory: PeerSettings,
    pub payment: PeerSettings,
    /// How long stock is held for an order that is not confirmed yet.
    pub hold: Duration,
    /// Proves to the peers who we are, and the other way round.
    pub tls: Option<Connector>,
}

#[derive(Debug, Clone)]
pub struct Peers {
    inventory: Inventory,
    payments: Payments,
    tokens: Tokens,
}

/// What this service shows to its peers.
#[derive(Debug, Clone, Default)]
struct Tokens {
    inventory: Token,
    payment: Token,
}

impl Peers {
    /// Starts the gatherers on the current runtime.
    pub fn connect(settings: &Settings) -> Result<Self, rpc::Error> {
        let tokens = Tokens::default();
        Ok(Self {
            inventory: Inventory::connect(settings, tokens.inventory.clone())?,
            payments: Payments::connect(settings, tokens.payment.clone())?,
            tokens,
        })
    }

    /// New tokens, to be shown from now on.
    pub fn show(&self, inventory: &PeerSettings, payment: &PeerSettings) -> Result<(), rpc::Error> {
        inventory.show(&self.tokens.inventory)?;
        payment.show(&self.tokens.payment)
    }

    /// Asks what `step` needs. Every question carries a key of the order's own,
    /// so that asking again, here or by another process, has no second effect.
    pub async fn ask(&self, case: &Case, step: Step) -> Result<Answer, Trouble> {
        let order = &case.order;
        let answer = match step {
            Step::Reserve { round } => failpoint::around!(
                "order.reserve",
                "call",
                self.inventory.reserve(order, round).await
            ),
            Step::Commit { round } => failpoint::around!(
                "order.commit",
                "call",
                self.inventory.commit(order, round).await
            ),
            Step::Release => {
                failpoint::around!("order.release", "call", self.inventory.release(order).await)
            }
            Step::Pay => failpoint::around!("order.pay", "call", self.payments.create(order).await),
            Step::AskPayment => self.payments.outcome(order).await,
            Step::Capture => {
                failpoint::around!("order.capture", "call", self.payments.capture(order).await)
            }
            Step::DropAttempt => self.payments.drop_attempt(order).await,
            Step::Void => failpoint::around!("order.void", "call", self.payments.void(order).await),
            Step::RefundRest => failpoint::around!(
                "order.refund",
                "call",
                self.payments.refund_rest(order).await
            ),
            Step::Work(task) => self.work(order, case, task).await,
            Step::Confirm | Step::Conclude | Step::Rest => Ok(Answer::Done),
        };
        match answer {
            Ok(answer) => Ok(answer),
            Err(Failure::Refused(refusal)) => Ok(Answer::Refused(refusal)),
            Err(Failure::Later(trouble)) => Err(trouble),
        }
    }

    /// Every payment that was made for an order.
    pub async fn payments_of(&self, order: OrderId) -> Result<Vec<PaymentBook>, Trouble> {
        self.payments
            .of_order(order)
            .await
            .map_err(Failure::trouble)
    }

    /// Gives back what is left of a payment. False: there was nothing left.
    pub async fn give_back(&self, order: OrderId, book: &PaymentBook) -> Result<bool, Trouble> {
        let given = self.payments.give_back(order, book).await;
        given.map_err(Failure::trouble)
    }

    async fn work(&self, order: &Order, case: &Case, task: Task) -> Result<Answer, Failure> {
        match task {
            Task::Ship(id) => failpoint::around!(
                "order.ship",
                "call",
                self.inventory.ship(order, known(case, id)?).await
            ),
            Task::Restock(id) => failpoint::around!(
                "order.restock",
                "call",
                self.inventory.restock(order, known(case, id)?).await
            ),
            Task::PayBack(id) => failpoint::around!(
                "order.refund",
                "call",
                self.payments.pay_back(order, known(case, id)?).await
            ),
            Task::Close(_) => Ok(Answer::Done),
        }
    }
}

/// A peer learns who we are, not for whom we act: a caller's token ends here.
fn channel(
    peer: &PeerSettings,
    tls: Option<&Connector>,
    token: Token,
) -> Result<Authorized, rpc::Error> {
    peer.show(&token)?;
    Ok(Authorized::new(rpc::connect(peer, tls)?, token))
}

fn known(case: &Case, id: Uuid) -> Result<&Work, Failure> {
    let missing = || Failure::Refused(Refusal::new("INTERNAL", "the work is not at hand"));
    case.work(id).ok_or_else(missing)
}
