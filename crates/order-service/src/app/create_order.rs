//! Accepts orders, and waits for what becomes of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use batch::Gatherer;
use chrono::Utc;
use database::{Connection, Database};
use idempotency::{Acted, Answer, Answered, Call, Effect, Outcome, Verb, once};
use rpc::Deadline;
use tracing::{Span, field::display};

use super::command::Output;
use super::journal::record;
use super::reply::method;
use super::{App, Error, Reply, Settled};
use crate::domain::{Case, Kind, NewEvent, NewOrder, Order, State, StateReason};
use crate::metrics;
use crate::parts::by_weight;
use crate::store::orders;

const LIMIT: usize = 256;
/// A statement with more takes too long.
const LINES_MAX: usize = 10_000;

/// One order to be placed.
#[derive(Debug, Clone)]
pub struct Place {
    pub new: NewOrder,
    /// Answer as soon as it is stored.
    pub only_accept: bool,
    pub actor: String,
    pub traceparent: Option<String>,
}

/// The verb, for many orders at once.
#[derive(Debug)]
pub struct PlaceOrder {
    lease: Duration,
    /// False: nothing new is accepted; what was accepted is still told.
    accepts: bool,
}

pub(super) type Placed = Answered<PlaceOrder>;

pub(super) fn gather(
    db: Database,
    lease: Duration,
    accepts: Arc<AtomicBool>,
) -> Gatherer<Call<Place>, Placed> {
    Gatherer::spawn(
        method::CREATE_ORDER,
        LIMIT,
        move |calls: Vec<Call<Place>>| {
            let db = db.clone();
            let accepts = accepts.load(Ordering::Relaxed);
            let verb = PlaceOrder { lease, accepts };
            async move {
                let mut placed = Vec::with_capacity(calls.len());
                let lines = |call: &Call<Place>| call.input.new.lines.len();
                for part in by_weight(calls, LINES_MAX, lines) {
                    placed.extend(once(&db, &verb, &part).await);
                }
                let is_fresh = |one: &&Placed| matches!(one, Ok(Outcome::Fresh(_)));
                metrics::created(placed.iter().filter(is_fresh).count());
                placed
            }
        },
    )
}

impl App {
    pub async fn create_order(
        &self,
        request: idempotency::Request,
        input: Place,
        deadline: Deadline,
    ) -> Result<Settled, Error> {
        let only_accept = input.only_accept || failpoint::planted!("acknowledge-before-commit");
        let input = Place {
            only_accept,
            ..input
        };
        let placed = self.0.places.call(Call { request, input });
        let placed = failpoint::around!("order.create", "intent", placed.await)?;
        let (id, case) = match placed? {
            Outcome::Replayed(saved) => {
                return Ok(Settled {
                    saved,
                    replayed: true,
                });
            }
            Outcome::Resumed { resource } => {
                Span::current().record("order.id", display(resource));
                (resource, None)
            }
            Outcome::Fresh(output) => {
                let order = output.order_id();
                Span::current().record("order.id", display(order));
                if only_accept {
                    let saved = output.saved();
                    self.begin(output);
                    return Ok(Settled {
                        saved,
                        replayed: false,
                    });
                }
                (order.as_uuid(), Some(output))
            }
        };
        let awaited = (method::CREATE_ORDER, id);
        let told = self.expect(awaited);
        let order = case.map(|output| self.begin(output));
        self.settle(awaited, order, told, deadline).await
    }
}

impl Verb for PlaceOrder {
    type Input = Place;
    type Output = Output;
    type Error = Error;

    async fn act(&self, tx: &mut Connection, inputs: &[&Place]) -> Result<Vec<Acted<Self>>, Error> {
        if !self.accepts {
            return Ok(inputs.iter().map(|_| Err(Error::NotAccepting)).collect());
        }
        let now = Utc::now();
        let mut placed = Vec::with_capacity(inputs.len());
        for input in inputs {
            // Overflow was refused when the request was read.
            let total = input
                .new
                .total()
                .map_err(|_| Error::Bug("the total overflows"))?;
            placed.push(input.new.placed(total, now));
        }
        // The database's clock counts, not ours.
        if let Some(created_at) = orders::insert(tx, &placed, self.lease).await? {
            for order in &mut placed {
                order.created_at = created_at;
                order.updated_at = created_at;
            }
        }
        let events: Vec<NewEvent> = inputs
            .iter()
            .zip(&placed)
            .map(|(input, order)| first_event(input, order))
            .collect();
        record(tx, &events, placed.iter()).await?;
        Ok(inputs
            .iter()
            .zip(placed)
            .map(|(input, order)| Ok(effect(input, order)))
            .collect())
    }
}

fn first_event(input: &Place, order: &Order) -> NewEvent {
    NewEvent {
        order_id: order.id,
        sequence: order.sequence,
        kind: Kind::Placed,
        from: None,
        to: State::Pending,
        reason: StateReason::default(),
        actor: input.actor.clone(),
        traceparent: input.traceparent.clone(),
    }
}

fn effect(input: &Place, order: Order) -> Effect<Output> {
    let resource = order.id.as_uuid();
    let output = Output {
        reply: Reply::Created(order.clone()),
        case: Case::placed(order),
        runs: true,
        told: Vec::new(),
        origin: None,
    };
    match input.only_accept {
        true => Effect::Finished(output),
        false => Effect::Started { output, resource },
    }
}
