//! Batches of Reserve, Commit and Release: each item stands alone, with the
//! key, the result and the trace that its single call would have.

use api::inventory::v1::{self as pb, batch_reservation_result::Outcome as Rendered};
use idempotency::{Call, Failure, Outcome, Saved};
use prost::{Message, Name};
use rpc::{Context, Problem};
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

/// The calls of a batch; a bad item has its problem in its place.
pub(super) fn calls<M, I>(
    context: &Context,
    method: &'static str,
    items: Vec<Item<'_, M>>,
    parse: fn(&M) -> Result<I, Problem>,
) -> Vec<Result<Call<I>, Problem>>
where
    M: Message + Name,
{
    let calls = items.into_iter().enumerate();
    calls
        .map(|(place, item)| {
            if !item.traceparent.is_empty() {
                telemetry::propagation::add_link(&Span::current(), item.traceparent);
            }
            let missing = || Problem::invalid("request", "is required");
            let message = item.request.ok_or_else(missing)?;
            let path = format!("items[{place}].idempotency_key");
            Ok(Call {
                request: context.idempotent_item(method, item.key, &path, message)?,
                input: parse(message)?,
            })
        })
        .collect()
}

/// Acts on the good items; one result per item, in order.
pub(super) async fn act<I, O, F, Fut>(
    calls: Vec<Result<Call<I>, Problem>>,
    act: F,
) -> Vec<pb::BatchReservationResult>
where
    pb::Reservation: for<'a> From<&'a O>,
    F: FnOnce(Vec<Call<I>>) -> Fut,
    Fut: Future<Output = Vec<Result<Outcome<O>, Failure<Error>>>>,
{
    let (mut good, mut places) = (Vec::new(), Vec::with_capacity(calls.len()));
    for call in calls {
        places.push(call.map(|call| good.push(call)));
    }
    let mut answers = match good.is_empty() {
        true => Vec::new(),
        false => act(good).await,
    }
    .into_iter();
    let results = places.into_iter().map(|place| {
        let answer = place.and_then(|()| {
            let answer = answers.next().ok_or_else(Problem::internal)?;
            answer.map_err(Problem::from)
        });
        pb::BatchReservationResult {
            outcome: Some(match answer {
                Ok(outcome) => rendered(outcome),
                Err(problem) => Rendered::Error(problem.to_pb()),
            }),
        }
    });
    results.collect()
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
