//! Batches: many calls in one, each answered as soon as it is known. An item is
//! the single call, with its own key and its own task.

use std::pin::Pin;

use api::payment::v1 as pb;
use futures::Stream;
use idempotency::Request;
use prost::{Message, Name};
use rpc::{Context, Fields, Problem, Tasks};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Response, Status};
use tracing::Instrument;

use super::{calls, parse};
use crate::app::{App, AppError, Reply};

pub(super) const ITEMS_MAX: usize = 512;

pub(super) type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// An item that is about to be run: its number, where it is traced, its identity
/// and what is asked, or why it is not run at all.
pub(super) struct Item<I> {
    pub index: usize,
    pub traced: rpc::Item,
    pub asked: Result<(Request, I), Problem>,
}

/// # Errors
/// `INVALID_FIELD` for none or too many items.
pub(super) fn check_count(items: usize) -> Result<(), Problem> {
    let mut fields = Fields::default();
    let counted = fields.count("items", items, 1..=ITEMS_MAX);
    fields.finish(counted)
}

/// Runs each item on a task of its own and streams `render` of what became of
/// it. The stream may be dropped: the items run to their ends.
pub(super) fn stream<I, T, F, Fut>(
    tasks: &Tasks,
    context: &Context,
    items: Vec<Item<I>>,
    act: F,
    render: fn(i32, Result<Reply, Status>) -> T,
) -> Response<Answers<T>>
where
    I: Send + 'static,
    T: Send + 'static,
    F: Fn(Request, I) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<Reply, AppError>> + Send + 'static,
{
    let (answers, stream) = mpsc::channel(items.len().max(1));
    for item in items {
        let index = i32::try_from(item.index).unwrap_or(i32::MAX);
        let span = item.traced.span().clone();
        let (tasks, context) = (tasks.clone(), context.clone());
        let (act, answers) = (act.clone(), answers.clone());
        let run = async move {
            let outcome = match item.asked {
                Ok((request, input)) => calls::run(&tasks, &context, act(request, input)).await,
                Err(problem) => Err(problem.into()),
            };
            let code = outcome.as_ref().err().map_or(Code::Ok, Status::code);
            item.traced.end(code);
            // Nobody listens any more: the outcome is kept under its key.
            let _ = answers.send(Ok(render(index, outcome))).await;
        };
        tokio::spawn(run.instrument(span));
    }
    Response::new(Box::pin(ReceiverStream::new(stream)))
}

/// An item as it came.
struct Arrived<'a, M> {
    index: usize,
    key: &'a str,
    message: Option<&'a M>,
    traceparent: &'a str,
}

/// The identity of an item and what it asks for.
fn item<M: Message + Name, I>(
    context: &Context,
    method: &'static str,
    arrived: &Arrived<'_, M>,
    parse: fn(&M) -> Result<I, Problem>,
) -> Item<I> {
    let index = arrived.index;
    let traced = rpc::Item::begin(method, index, arrived.traceparent);
    let asked = || {
        let path = format!("items[{index}]");
        let missing = || Problem::invalid(format!("{path}.request"), "is required");
        let message = arrived.message.ok_or_else(missing)?;
        let path = format!("{path}.idempotency_key");
        let request = context.idempotent_item(method, arrived.key, &path, message)?;
        Ok((request, parse(message)?))
    };
    let asked = traced.span().in_scope(asked);
    Item {
        index,
        traced,
        asked,
    }
}

pub(super) fn created(
    index: i32,
    outcome: Result<Reply, Status>,
) -> pb::BatchCreatePaymentsResponse {
    use pb::batch_create_payments_response::Outcome;
    let message = outcome.and_then(|reply| calls::decode(&reply.saved));
    let outcome = match message {
        Ok(pb::CreatePaymentResponse { payment }) => Outcome::Payment(payment.unwrap_or_default()),
        Err(status) => Outcome::Error(calls::to_pb(&status)),
    };
    pb::BatchCreatePaymentsResponse {
        index,
        outcome: Some(outcome),
    }
}

pub(super) fn captured(
    index: i32,
    outcome: Result<Reply, Status>,
) -> pb::BatchCapturePaymentsResponse {
    use pb::batch_capture_payments_response::Outcome;
    let message = outcome.and_then(|reply| calls::decode(&reply.saved));
    let outcome = match message {
        Ok(response) => Outcome::Response(response),
        Err(status) => Outcome::Error(calls::to_pb(&status)),
    };
    pb::BatchCapturePaymentsResponse {
        index,
        outcome: Some(outcome),
    }
}

pub(super) fn create_items(
    context: &Context,
    request: &pb::BatchCreatePaymentsRequest,
) -> Vec<Item<crate::domain::NewPayment>> {
    let item = |(index, item): (usize, &pb::BatchCreatePaymentsItem)| {
        let arrived = Arrived {
            index,
            key: &item.idempotency_key,
            message: item.request.as_ref(),
            traceparent: &item.traceparent,
        };
        self::item(context, "CreatePayment", &arrived, parse::create_payment)
    };
    request.items.iter().enumerate().map(item).collect()
}

pub(super) fn capture_items(
    context: &Context,
    request: &pb::BatchCapturePaymentsRequest,
) -> Vec<Item<crate::app::NewCapture>> {
    let item = |(index, item): (usize, &pb::BatchCapturePaymentsItem)| {
        let arrived = Arrived {
            index,
            key: &item.idempotency_key,
            message: item.request.as_ref(),
            traceparent: &item.traceparent,
        };
        self::item(context, "CapturePayment", &arrived, parse::capture_payment)
    };
    request.items.iter().enumerate().map(item).collect()
}

/// What the items of a batch are run by.
pub(super) fn create(
    app: &App,
) -> impl Fn(
    Request,
    crate::domain::NewPayment,
) -> Pin<Box<dyn Future<Output = Result<Reply, AppError>> + Send>>
+ Clone
+ Send
+ 'static {
    let app = app.clone();
    move |request, new| {
        let app = app.clone();
        Box::pin(async move { app.create_payment(request, new).await })
    }
}

pub(super) fn capture(
    app: &App,
) -> impl Fn(
    Request,
    crate::app::NewCapture,
) -> Pin<Box<dyn Future<Output = Result<Reply, AppError>> + Send>>
+ Clone
+ Send
+ 'static {
    let app = app.clone();
    move |request, new| {
        let app = app.clone();
        Box::pin(async move { app.capture_payment(request, new).await })
    }
}
