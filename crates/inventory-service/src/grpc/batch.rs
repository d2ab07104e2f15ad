//! Batches of Reserve, Commit and Release: each item stands alone, with the
//! key, the result and the trace that its single call would have.

use api::inventory::v1::{self as pb, batch_reservation_result::Outcome as Rendered};
use idempotency::{Call, Failure, Outcome, Saved};
use prost::{Message, Name};
use rpc::{Context, Problem};
use tonic::Code;
use tracing::Span;

use super::parse::LINES_MAX;
use crate::app::Error;

const ITEMS_MAX: usize = 512;
/// Over all items, so that no batch outgrows a message or a transaction.
const BATCH_LINES_MAX: usize = 20 * LINES_MAX;

/// One item of any batch.
pub(super) struct Item<'a, M> {
    pub(super) key: &'a str,
    pub(super) request: Option<&'a M>,
    pub(super) traceparent: &'a str,
}

/// # Errors
/// `INVALID_FIELD` when the batch as a whole is out of its limits.
pub(super) fn check_size(items: usize, lines: usize) -> Result<(), Problem> {
    let mut fields = rpc::Fields::default();
    let counted = fields.count("items", items, 1..=ITEMS_MAX);
    if lines > BATCH_LINES_MAX {
        let expected = format!("must have at most {BATCH_LINES_MAX} lines in all, got {lines}");
        fields.refuse("items", expected);
    }
    fields.finish(counted)
}

/// # Errors
/// `DEADLINE_EXCEEDED` when nobody waits for the batch any more.
pub(super) fn check_time(context: &Context) -> Result<(), Problem> {
    match context.deadline.has_passed() {
        true => Err(Problem::deadline_exceeded()),
        false => Ok(()),
    }
}

/// An item on its way, or why it goes nowhere.
pub(super) struct Asked<I> {
    item: rpc::Item,
    call: Result<Call<I>, Problem>,
}

/// The calls of a batch; a bad item has its problem in its place.
pub(super) fn calls<M, I>(
    context: &Context,
    method: &'static str,
    items: Vec<Item<'_, M>>,
    parse: fn(&M) -> Result<I, Problem>,
) -> Vec<Asked<I>>
where
    M: Message + Name,
{
    let call = |place, item: Item<'_, M>| {
        let missing = || Problem::invalid("request", "is required");
        let message = item.request.ok_or_else(missing)?;
        let path = format!("items[{place}].idempotency_key");
        Ok(Call {
            request: context.idempotent_item(method, item.key, &path, message)?,
            input: parse(message)?,
        })
    };
    let asked = |(place, item): (usize, Item<'_, M>)| {
        let traced = rpc::Item::begin(method, place, item.traceparent);
        let call = traced.span().in_scope(|| call(place, item));
        Asked { item: traced, call }
    };
    items.into_iter().enumerate().map(asked).collect()
}

/// Acts on the good items; one result per item, in order.
pub(super) async fn act<I, O, F, Fut>(
    asked: Vec<Asked<I>>,
    act: F,
) -> Vec<pb::BatchReservationResult>
where
    pb::Reservation: for<'a> From<&'a O>,
    F: FnOnce(Vec<(Span, Call<I>)>) -> Fut,
    Fut: Future<Output = Vec<Result<Outcome<O>, Failure<Error>>>>,
{
    let (mut good, mut places) = (Vec::new(), Vec::with_capacity(asked.len()));
    for Asked { item, call } in asked {
        let place = call.map(|call| good.push((item.span().clone(), call)));
        places.push((item, place));
    }
    let mut answers = match good.is_empty() {
        true => Vec::new(),
        false => act(good).await,
    }
    .into_iter();
    let results = places.into_iter().map(|(item, place)| {
        let answer = place.and_then(|()| {
            let answer = answers.next().ok_or_else(Problem::internal)?;
            answer.map_err(Problem::from)
        });
        let outcome = match answer {
            Ok(outcome) => rendered(outcome),
            Err(problem) => Rendered::Error(problem.to_pb()),
        };
        item.end(code(&outcome));
        pb::BatchReservationResult {
            outcome: Some(outcome),
        }
    });
    results.collect()
}

fn code(outcome: &Rendered) -> Code {
    match outcome {
        Rendered::Reservation(_) => Code::Ok,
        Rendered::Error(status) => Code::from_i32(status.code),
    }
}

fn rendered<O>(outcome: Outcome<O>) -> Rendered
where
    pb::Reservation: for<'a> From<&'a O>,
{
    let replayed = match outcome {
        Outcome::Fresh(output) => return Rendered::Reservation((&output).into()),
        Outcome::Replayed(saved) => replayed(&saved),
        // No verb here goes on after its commit.
        Outcome::Resumed { .. } => None,
    };
    replayed.unwrap_or_else(|| Rendered::Error(Problem::internal().to_pb()))
}

/// The answers of Reserve, Commit and Release are the same on the wire: a
/// reservation in field 1.
fn replayed(saved: &Saved) -> Option<Rendered> {
    let body = saved.body.as_slice();
    match saved.code {
        0 => {
            let response = pb::ReserveResponse::decode(body).ok()?;
            response.reservation.map(Rendered::Reservation)
        }
        _ => tonic_types::pb::Status::decode(body)
            .ok()
            .map(Rendered::Error),
    }
}
