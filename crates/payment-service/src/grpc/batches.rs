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
use tonic::{Response, Status};
use tracing::Instrument;

use super::{calls, parse};
use crate::app::{App, AppError, Reply};

pub(super) const ITEMS_MAX: usize = 512;

pub(super) type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// An item that is about to be run: its number, its trace, its identity and
/// what is asked, or why it is not run at all.
pub(super) struct Item<I> {
    pub index: usize,
    pub traceparent: String,
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
        let span = tracing::info_span!("batch item", batch.index = index);
        if !item.traceparent.is_empty() {
            telemetry::propagation::add_link(&span, &item.traceparent);
        }
        let (tasks, context) = (tasks.clone(), context.clone());
        let (act, answers) = (act.clone(), answers.clone());
        let run = async move {
            let outcome = match item.asked {
                Ok((request, input)) => calls::run(&tasks, &context, act(request, input)).await,
                Err(problem) => Err(problem.into()),
            };
            // Nobody listens any more: the outcome is kept under its key.
            let _ = answers.send(Ok(render(index, outcome))).await;
        };
        tokio::spawn(run.instrument(span));
    }
    Response::new(Box::pin(ReceiverStream::new(stream)))
}

/// The identity of an item and what it asks for.
pub(super) fn asked<M: Message + Name, I>(
    context: &Context,
    method: &'static str,
    index: usize,
    key: &str,
    message: Option<&M>,
    parse: fn(&M) -> Result<I, Problem>,
) -> Result<(Request, I), Problem> {
    let path = format!("items[{index}]");
    let missing = || Problem::invalid(format!("{path}.request"), "is required");
    let message = message.ok_or_else(missing)?;
    let path = format!("{path}.idempotency_key");
    let request = context.idempotent_item(method, key, &path, message)?;
    Ok((request, parse(message)?))
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
    request: pb::BatchCreatePaymentsRequest,
) -> Vec<Item<crate::domain::NewPayment>> {
    let item = |(index, item): (usize, pb::BatchCreatePaymentsItem)| Item {
        index,
        asked: asked(
            context,
            "CreatePayment",
            index,
            &item.idempotency_key,
            item.request.as_ref(),
            parse::create_payment,
        ),
        traceparent: item.traceparent,
    };
    request.items.into_iter().enumerate().map(item).collect()
}

pub(super) fn capture_items(
    context: &Context,
    request: pb::BatchCapturePaymentsRequest,
) -> Vec<Item<crate::app::NewCapture>> {
    let item = |(index, item): (usize, pb::BatchCapturePaymentsItem)| Item {
        index,
        asked: asked(
            context,
            "CapturePayment",
            index,
            &item.idempotency_key,
            item.request.as_ref(),
            parse::capture_payment,
        ),
        traceparent: item.traceparent,
    };
    request.items.into_iter().enumerate().map(item).collect()
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
