//! What all commands on an order that stands have in common: lock it, decide,
//! write it under a new epoch, go on with its saga. The new epoch fences a run
//! of the saga that is under way; the new run repeats what that one may have
//! asked, which is safe by its keys, and goes where the command sent the order.

use std::time::Duration;

use database::Connection;
use idempotency::{Answer, Call, Outcome, Saved, Verb};
use rpc::Deadline;
use types::OrderId;
use uuid::Uuid;

use super::journal::{self, Entry, Written};
use super::waiting::Told;
use super::{App, Error, Reply, Settled};
use crate::domain::{Case, Change, NewWork, Reach, Step, next_step};
use crate::store::orders::{self, Next, Times};
use crate::store::{order_events, order_works};

/// Who asks, how far that one reaches, and in which trace.
#[derive(Debug, Clone)]
pub struct Asker {
    pub actor: String,
    pub reach: Reach,
    pub traceparent: Option<String>,
}

/// What a verb leaves to do after its commit.
#[derive(Debug)]
pub struct Output {
    pub reply: Reply,
    pub case: Case,
    /// Its saga is ours to go on with.
    pub runs: bool,
    pub told: Vec<Told>,
    /// The trace in which it was placed; `None` for one that is placed now.
    pub origin: Option<String>,
}

impl Output {
    pub(super) fn order_id(&self) -> OrderId {
        self.case.order.id
    }

    /// Nothing was written.
    pub(super) fn unchanged(reply: Reply, case: Case) -> Self {
        Self {
            reply,
            case,
            runs: false,
            told: Vec::new(),
            origin: None,
        }
    }
}

impl Answer for Output {
    fn saved(&self) -> Saved {
        self.reply.saved()
    }
}

/// The order, locked, with its running works.
pub(super) async fn locked(
    tx: &mut Connection,
    id: OrderId,
    etag: Option<i64>,
    reach: &Reach,
) -> Result<Case, Error> {
    let (order, overdue) = orders::lock(tx, id, reach)
        .await?
        .ok_or_else(|| Error::no_order(id))?;
    if etag.is_some_and(|etag| etag != order.sequence) {
        return Err(Error::EtagMismatch(id));
    }
    let works = order_works::running(tx, &[id]).await?.remove(&id);
    Ok(Case::loaded(order, works.unwrap_or_default(), overdue))
}

/// Stores a work that the order has decided on, and takes it up if it runs.
pub(super) async fn store_work(
    tx: &mut Connection,
    case: &mut Case,
    work: NewWork,
) -> Result<crate::domain::Work, Error> {
    let created_at = order_works::insert(tx, &work).await?;
    let work = work.stored(created_at);
    if work.state == crate::domain::WorkState::Running {
        case.works.push(work.clone());
    }
    Ok(work)
}

/// The order as written, and whether its saga is now ours to go on with.
pub(super) struct Changed {
    pub(super) case: Case,
    pub(super) runs: bool,
    pub(super) told: Vec<Told>,
    origin: Option<String>,
}

impl Changed {
    pub(super) fn output(self, reply: impl FnOnce(&Case) -> Reply) -> Output {
        Output {
            reply: reply(&self.case),
            case: self.case,
            runs: self.runs,
            told: self.told,
            origin: self.origin,
        }
    }
}

/// Writes a locked order under a new epoch.
pub(super) async fn write(
    tx: &mut Connection,
    mut case: Case,
    change: Change,
    asker: &Asker,
    times: Times,
) -> Result<Changed, Error> {
    let read_epoch = case.order.saga.epoch;
    case.order.saga.epoch += 1;
    case.order.saga.tries = 0;
    case.order.saga.last_error = String::new();
    let runs = next_step(&case.progress()) != Step::Rest;
    let entry = Entry {
        case,
        change: Some(change),
        next: if runs { Next::Now } else { Next::Never },
        read_epoch,
        actor: asker.actor.clone(),
        traceparent: asker.traceparent.clone(),
    };
    match journal::write(tx, &[entry], times).await?.pop() {
        Some(Written::Done(case, told)) => Ok(Changed {
            origin: match runs {
                true => origin(tx, case.order.id).await?,
                false => None,
            },
            case: *case,
            runs,
            told,
        }),
        Some(Written::Fenced) | None => Err(Error::Conflict),
    }
}

async fn origin(tx: &mut Connection, order: OrderId) -> database::Result<Option<String>> {
    Ok(order_events::origins(tx, &[order]).await?.remove(&order))
}

impl App {
    /// After the commit: tell who waits, and go on with the saga.
    pub(super) fn begin(&self, output: Output) -> OrderId {
        let order = output.order_id();
        self.announce(order, output.told);
        if output.runs {
            self.start_saga(output.case, Duration::ZERO, output.origin.as_deref());
        }
        order
    }

    /// Runs a verb whose answer is known at its commit.
    pub(super) async fn at_once<V>(&self, verb: &V, call: Call<V::Input>) -> Result<Settled, Error>
    where
        V: Verb<Output = Output, Error = Error>,
    {
        match self.only(verb, call).await? {
            Outcome::Fresh(output) => {
                let saved = output.saved();
                self.begin(output);
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

    /// Runs a verb that may leave work running, and waits for its end.
    pub(super) async fn to_end<V>(
        &self,
        verb: &V,
        call: Call<V::Input>,
        deadline: Deadline,
        awaits: impl FnOnce(&Output) -> Option<Uuid>,
    ) -> Result<Settled, Error>
    where
        V: Verb<Output = Output, Error = Error>,
    {
        let method = call.request.method;
        let (resource, output) = match self.only(verb, call).await? {
            Outcome::Replayed(saved) => {
                return Ok(Settled {
                    saved,
                    replayed: true,
                });
            }
            Outcome::Resumed { resource } => (resource, None),
            Outcome::Fresh(output) => match awaits(&output) {
                Some(resource) => (resource, Some(output)),
                None => {
                    let saved = output.saved();
                    self.begin(output);
                    return Ok(Settled {
                        saved,
                        replayed: false,
                    });
                }
            },
        };
        let told = self.expect((method, resource));
        let order = output.map(|output| self.begin(output));
        self.settle((method, resource), order, told, deadline).await
    }

    async fn only<V>(&self, verb: &V, call: Call<V::Input>) -> Result<Outcome<Output>, Error>
    where
        V: Verb<Output = Output, Error = Error>,
    {
        let answered = idempotency::once(&self.0.db, verb, &[call]).await.pop();
        Ok(answered.ok_or(Error::Bug("a call was not answered"))??)
    }
}

/// Runs a verb for each input: commands are few, and each locks its own order.
macro_rules! each {
    ($inputs:ident, $input:ident => $one:expr) => {{
        let mut acted = Vec::with_capacity($inputs.len());
        for $input in $inputs {
            acted.push(match $one.await {
                Err(error @ $crate::app::Error::Database(_)) => return Err(error),
                other => other,
            });
        }
        Ok(acted)
    }};
}
pub(super) use each;
