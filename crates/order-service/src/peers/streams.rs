//! Batches whose items are answered one by one, as each is known: a slow card
//! must delay nobody else. Several such calls may be on their way at once.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use batch::Gatherer;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_stream::{Stream, StreamExt};
use tonic::Status;
use tracing::{Instrument, Span};

use super::failure::Failure;

const ITEMS_MAX: usize = 512;
/// Calls that have not had their first answer; while there are so many,
/// arrivals gather.
const YOUNG_CALLS_MAX: usize = 4;
/// A call counts as young for no longer than this.
const YOUNG: Duration = Duration::from_millis(20);

/// An item on its way, and who waits for its answer.
pub(super) struct Sent<I, O> {
    item: I,
    waiting: Waiting<O>,
}

struct Waiting<O> {
    answer: oneshot::Sender<Result<O, Failure>>,
    /// Lasts until the answer.
    span: Span,
}

impl<O> Waiting<O> {
    fn tell(self, answer: Result<O, Failure>) {
        // Where nobody waits any more, the caller asks again under its key.
        self.span.in_scope(|| _ = self.answer.send(answer));
    }
}

/// Gathers items into streamed batches.
pub(super) struct Streams<I, O> {
    gatherer: Gatherer<Sent<I, O>, ()>,
    /// Beyond this an item counts as unanswered.
    patience: Duration,
}

impl<I, O> Clone for Streams<I, O> {
    fn clone(&self) -> Self {
        Self {
            gatherer: self.gatherer.clone(),
            patience: self.patience,
        }
    }
}

impl<I, O> std::fmt::Debug for Streams<I, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams").finish_non_exhaustive()
    }
}

impl<I: Send + 'static, O: Send + 'static> Streams<I, O> {
    /// `open` sends a batch; its stream gives (place in the batch, answer).
    pub(super) fn spawn<F, Fut, S>(name: &'static str, patience: Duration, open: F) -> Self
    where
        F: Fn(Vec<I>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<S, Status>> + Send + 'static,
        S: Stream<Item = Result<(usize, Result<O, Failure>), Status>> + Send + Unpin + 'static,
    {
        let young = Arc::new(Semaphore::new(YOUNG_CALLS_MAX));
        let gatherer = Gatherer::spawn(name, ITEMS_MAX, move |batch: Vec<Sent<I, O>>| {
            let young = young.clone();
            let size = batch.len();
            let (items, waiting) = batch
                .into_iter()
                .map(|sent| (sent.item, sent.waiting))
                .unzip();
            let opening = open(items);
            async move {
                let permit = young.acquire_owned().await.ok();
                // In the batch's span, which lasts as long as the stream.
                tokio::spawn(fly(opening, waiting, permit).in_current_span());
                vec![(); size]
            }
        });
        Self { gatherer, patience }
    }

    /// `item` is made in the span in which its caller waits.
    pub(super) async fn call(&self, item: impl FnOnce(&Span) -> I) -> Result<O, Failure> {
        let (answer, answered) = oneshot::channel();
        let sent = |span: &Span| Sent {
            item: item(span),
            waiting: Waiting {
                answer,
                span: span.clone(),
            },
        };
        self.gatherer.call_with(sent).await?;
        match tokio::time::timeout(self.patience, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Failure::later("the stream ended without an answer")),
            Err(_) => Err(Failure::later("no answer within the time it may take")),
        }
    }
}

async fn fly<O, Fut, S>(opening: Fut, waiting: Vec<Waiting<O>>, young: Option<OwnedSemaphorePermit>)
where
    Fut: Future<Output = Result<S, Status>>,
    S: Stream<Item = Result<(usize, Result<O, Failure>), Status>> + Unpin,
{
    let grown = grow(young);
    let mut waiting: Vec<_> = waiting.into_iter().map(Some).collect();
    let end = match opening.await {
        Ok(mut stream) => loop {
            match stream.next().await {
                Some(Ok((place, answer))) => {
                    grown.notify_one();
                    if let Some(waiting) = waiting.get_mut(place).and_then(Option::take) {
                        waiting.tell(answer);
                    }
                }
                Some(Err(status)) => break Failure::from(status),
                None => break Failure::later("the stream ended without an answer"),
            }
        },
        Err(status) => Failure::from(status),
    };
    grown.notify_one();
    for waiting in waiting.into_iter().flatten() {
        waiting.tell(Err(end.clone()));
    }
}

/// Gives the permit back at the first answer, or soon.
fn grow(young: Option<OwnedSemaphorePermit>) -> Arc<tokio::sync::Notify> {
    let grown = Arc::new(tokio::sync::Notify::new());
    let first_answer = grown.clone();
    tokio::spawn(async move {
        let _ = tokio::time::timeout(YOUNG, first_answer.notified()).await;
        drop(young);
    });
    grown
}
