//! Writes orders: each with its event, the message to the other services, the
//! works that it closes and the answers that it makes true, for many orders in
//! one statement per table. The caller owns the transaction.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use database::Connection;
use idempotency::Answer as _;
use idempotency::{Refusal as _, Saved};
use uuid::Uuid;

use super::error::Error;
use super::messages;
use super::reply::{Reply, method, method_of};
use super::waiting::Told;
use crate::domain::{Case, Change, Closed, Kind, NewEvent, Order, Reach, Refusal, State};
use crate::store::orders::{Next, Save, Times};
use crate::store::{order_events, order_lines, order_works, orders};

/// One order to be written.
#[derive(Debug, Clone)]
pub struct Entry {
    pub case: Case,
    /// `None`: only the saga's own columns change, and nothing happened.
    pub change: Option<Change>,
    pub next: Next,
    /// Of the claim under which the order was read.
    pub read_epoch: i64,
    pub actor: String,
    pub traceparent: Option<String>,
}

/// What became of an entry.
#[derive(Debug, Clone)]
pub enum Written {
    /// With the answers that are stored now; tell them after the commit.
    Done(Box<Case>, Vec<Told>),
    /// Somebody else has claimed the order since; nothing was written.
    Fenced,
}

type ChangedAt = HashMap<(Uuid, i64), DateTime<Utc>>;
type Answered = (&'static str, Uuid, Saved);

/// One result per entry, in order.
pub async fn write(
    conn: &mut Connection,
    entries: &[Entry],
    times: Times,
) -> database::Result<Vec<Written>> {
    let mut entries: Vec<Entry> = entries.to_vec();
    if failpoint::planted!("skip-fencing") {
        unfence(conn, &mut entries).await?;
    }
    for entry in &mut entries {
        entry.case.order.sequence += i64::from(entry.change.is_some());
    }
    let saved = save(conn, &entries, times).await?;
    for entry in &mut entries {
        if let Some(at) = saved.get(&claim(entry)) {
            entry.case.order.updated_at = *at;
        }
    }
    let is_saved = |entry: &&Entry| saved.contains_key(&claim(entry));
    let kept: Vec<&Entry> = entries.iter().filter(is_saved).collect();
    write_parts(conn, &kept).await?;
    let answers = finish(conn, &kept).await?;
    Ok(results(entries, &saved, answers))
}

/// Takes each order as it stands for the one that was read. Only a planted bug
/// does so.
async fn unfence(conn: &mut Connection, entries: &mut [Entry]) -> database::Result<()> {
    for entry in entries {
        let found = orders::get(conn, &[entry.case.order.id], &Reach::All).await?;
        for order in found {
            entry.read_epoch = order.saga.epoch;
            entry.case.order.sequence = order.sequence;
        }
    }
    Ok(())
}

async fn save(
    conn: &mut Connection,
    entries: &[Entry],
    times: Times,
) -> database::Result<ChangedAt> {
    let saves: Vec<Save<'_>> = entries
        .iter()
        .map(|entry| Save {
            order: &entry.case.order,
            read_epoch: entry.read_epoch,
            read_sequence: entry.case.order.sequence - i64::from(entry.change.is_some()),
            next: entry.next,
        })
        .collect();
    let saved = orders::save(conn, &saves, times).await?;
    Ok(saved
        .into_iter()
        .map(|(id, epoch, at)| ((id, epoch), at))
        .collect())
}

/// Two runs of one order may meet in a batch: only one has the right epoch.
fn claim(entry: &Entry) -> (Uuid, i64) {
    let order = &entry.case.order;
    (order.id.as_uuid(), order.saga.epoch)
}

/// Lines, works, events and messages.
async fn write_parts(conn: &mut Connection, kept: &[&Entry]) -> database::Result<()> {
    let lines = kept
        .iter()
        .filter(|entry| lines_written(entry) > 0)
        .map(|entry| &entry.case.order);
    order_lines::update(conn, lines).await?;
    let closed: Vec<_> = kept
        .iter()
        .filter_map(|entry| entry.change.as_ref())
        .flat_map(|change| &change.closed)
        .map(|closed| &closed.work)
        .collect();
    order_works::update(conn, &closed).await?;
    let events: Vec<NewEvent> = kept.iter().filter_map(|entry| event(entry)).collect();
    let orders = kept
        .iter()
        .filter(|entry| entry.change.is_some())
        .map(|entry| &entry.case.order);
    record(conn, &events, orders).await
}

/// How many lines go with an entry: all of the order's, when they have prices
/// or counts that they had not, or none.
pub fn lines_written(entry: &Entry) -> usize {
    let case = &entry.case;
    let priced = case.unpriced && case.order.total.is_some();
    let counted = entry.change.as_ref().is_some_and(|change| change.counted);
    match priced || counted {
        true => case.order.lines.len(),
        false => 0,
    }
}

/// Events and the messages that tell of them.
pub async fn record<'a>(
    conn: &mut Connection,
    events: &[NewEvent],
    orders: impl Iterator<Item = &'a Order>,
) -> database::Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    order_events::insert(conn, events).await?;
    let messages: Vec<outbox::Event> = events
        .iter()
        .zip(orders)
        .map(|(event, order)| messages::order_changed(event, order))
        .collect();
    outbox::append(conn, &messages).await
}

fn event(entry: &Entry) -> Option<NewEvent> {
    let change = entry.change.as_ref()?;
    Some(NewEvent {
        order_id: entry.case.order.id,
        sequence: entry.case.order.sequence,
        kind: change.kind,
        from: change.from,
        to: entry.case.order.state,
        reason: change.reason.clone(),
        actor: entry.actor.clone(),
        traceparent: entry.traceparent.clone(),
    })
}

/// Closes the keys whose answers have become true.
async fn finish(conn: &mut Connection, kept: &[&Entry]) -> database::Result<Vec<Answered>> {
    let answers: Vec<Answered> = kept.iter().flat_map(|entry| answers(entry)).collect();
    if answers.is_empty() {
        return Ok(answers);
    }
    let stored = idempotency::finish(conn, &answers).await?;
    Ok(answers
        .into_iter()
        .zip(stored)
        .map(|((method, resource, _), saved)| (method, resource, saved))
        .collect())
}

fn answers(entry: &Entry) -> Vec<Answered> {
    let Some(change) = &entry.change else {
        return Vec::new();
    };
    let order = &entry.case.order;
    let id = order.id.as_uuid();
    let created = || (method::CREATE_ORDER, id, placed_answer(order));
    let cancelled = || {
        (
            method::CANCEL_ORDER,
            id,
            Reply::Cancelled(order.clone()).saved(),
        )
    };
    let mut answers = match change.kind {
        Kind::Confirmed | Kind::PaymentActionRequired | Kind::Rejected => vec![created()],
        Kind::Cancelled => vec![created(), cancelled()],
        Kind::NeedsAttention => match change.from {
            Some(State::Pending) => vec![created()],
            Some(State::Compensating) => vec![created(), cancelled()],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    answers.extend(
        change
            .closed
            .iter()
            .map(|closed| work_answer(closed, order)),
    );
    answers
}

/// What whoever placed the order is told when it stands like this.
pub fn placed_answer(order: &Order) -> Saved {
    if !order.state.is_ended() {
        return Reply::Created(order.clone()).saved();
    }
    let order_id = order.id;
    let refusal = order
        .saga
        .refusal
        .clone()
        .unwrap_or_else(|| Refusal::new("ILLEGAL_TRANSITION", "the order was cancelled"));
    kept(&Error::Rejected { order_id, refusal })
}

fn work_answer(closed: &Closed, order: &Order) -> Answered {
    let work = &closed.work;
    let saved = match &closed.refusal {
        None => Reply::of_work(work.clone(), order.clone()).saved(),
        Some(refusal) => kept(&Error::Refused(refusal.clone())),
    };
    (method_of(work.kind), work.id, saved)
}

/// A definite refusal as it is kept.
pub fn kept(error: &Error) -> Saved {
    error.saved().unwrap_or_else(|| error.answer())
}

fn results(entries: Vec<Entry>, saved: &ChangedAt, answers: Vec<Answered>) -> Vec<Written> {
    let mut told: HashMap<Uuid, Vec<Told>> = HashMap::new();
    for (method, resource, saved) in answers {
        let awaited = (method, resource);
        told.entry(resource)
            .or_default()
            .push(Told { awaited, saved });
    }
    let mut results = Vec::with_capacity(entries.len());
    for entry in entries {
        if !saved.contains_key(&claim(&entry)) {
            results.push(Written::Fenced);
            continue;
        }
        let mut case = entry.case;
        case.unpriced = case.order.total.is_none();
        let closed = entry.change.iter().flat_map(|change| &change.closed);
        let mut answers = told.remove(&case.order.id.as_uuid()).unwrap_or_default();
        answers.extend(
            closed
                .filter_map(|closed| told.remove(&closed.work.id))
                .flatten(),
        );
        results.push(Written::Done(Box::new(case), answers));
    }
    results
}
