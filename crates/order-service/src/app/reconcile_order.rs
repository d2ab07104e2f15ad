//! Compares an order with its payment and settles what differs. Money that no
//! order wants is given back; that is safe to repeat, by its keys.

use database::Connection;
use idempotency::{Acted, Answer, Call, Effect, Outcome, Request, Saved, Verb};
use types::OrderId;
use uuid::Uuid;

use super::command::{Asker, Output, locked, store_work, write};
use super::{App, Error, Reply, Settled};
use crate::domain::{Compared, PaymentBook};
use crate::store::orders::Times;

/// What became of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    None,
    Running,
    TakenOver,
    Undone,
    GivenBack,
}

#[derive(Debug)]
struct Reconcile {
    order: OrderId,
    books: Vec<PaymentBook>,
    gave_back: bool,
    /// The id of a refund that may have to be written.
    refund: Uuid,
    asker: Asker,
}

impl App {
    pub async fn reconcile_order(
        &self,
        request: Request,
        order: OrderId,
        asker: Asker,
    ) -> Result<Settled, Error> {
        let peers = &self.0.peers;
        let books = peers.payments_of(order).await?;
        let known = self.get_orders(&[order], &asker.reach).await?.pop();
        let is_wanted = known.is_some_and(|order| !order.state.is_ended());
        let mut gave_back = false;
        for book in books.iter().filter(|_| !is_wanted) {
            gave_back |= peers.give_back(order, book).await?;
        }
        let input = Reconcile {
            order,
            books,
            gave_back,
            refund: Uuid::now_v7(),
            asker,
        };
        let verb = ReconcileOrder {
            times: self.times(),
        };
        let calls = [Call { request, input }];
        let answered = idempotency::once(&self.0.db, &verb, &calls).await.pop();
        match answered.ok_or(Error::Bug("a call was not answered"))?? {
            Outcome::Fresh(Done { reply, output }) => {
                let saved = reply.saved();
                output.map(|output| self.begin(*output));
                Ok(Settled {
                    saved,
                    replayed: false,
                })
            }
            Outcome::Replayed(saved) => Ok(Settled {
                saved,
                replayed: true,
            }),
            Outcome::Resumed { .. } => Err(Error::Bug("nothing of this verb stays open")),
        }
    }
}

/// `output`: what there is to do for the order after the commit.
struct Done {
    reply: Reply,
    output: Option<Box<Output>>,
}

impl Answer for Done {
    fn saved(&self) -> Saved {
        self.reply.saved()
    }
}

struct ReconcileOrder {
    times: Times,
}

impl Verb for ReconcileOrder {
    type Input = Reconcile;
    type Output = Done;
    type Error = Error;

    async fn act(
        &self,
        tx: &mut Connection,
        inputs: &[&Reconcile],
    ) -> Result<Vec<Acted<Self>>, Error> {
        super::command::each!(inputs, input => self.one(&mut *tx, input))
    }
}

impl ReconcileOrder {
    async fn one(&self, tx: &mut Connection, input: &Reconcile) -> Acted<Self> {
        let mut case = match locked(tx, input.order, None, &input.asker.reach).await {
            Ok(case) => case,
            Err(Error::NotFound { .. }) => return Ok(nothing_to_write(input, None)),
            Err(error) => return Err(error),
        };
        let (difference, change) = match case.reconcile(&input.books, input.refund) {
            Compared::Same => return Ok(nothing_to_write(input, Some(case.order))),
            Compared::Running => {
                let reply = Reply::Reconciled(Difference::Running, Some(case.order));
                return Ok(Effect::Finished(Done {
                    reply,
                    output: None,
                }));
            }
            Compared::TakenOver(change, work) => {
                if let Some(work) = work {
                    store_work(tx, &mut case, work).await?;
                }
                (Difference::TakenOver, change)
            }
            Compared::Undone(change) => (Difference::Undone, change),
        };
        let changed = write(tx, case, change, &input.asker, self.times).await?;
        let output = changed.output(|case| {
            let order = Some(case.order.clone());
            Reply::Reconciled(difference, order)
        });
        Ok(Effect::Finished(Done {
            reply: output.reply.clone(),
            output: Some(Box::new(output)),
        }))
    }
}

fn nothing_to_write(input: &Reconcile, order: Option<crate::domain::Order>) -> Effect<Done> {
    let difference = match input.gave_back {
        true => Difference::GivenBack,
        false => Difference::None,
    };
    Effect::Finished(Done {
        reply: Reply::Reconciled(difference, order),
        output: None,
    })
}
