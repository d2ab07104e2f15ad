use crate::{
    GatherError, metrics,
    stay::Stay,
    worker::{self, Waiting},
};
use futures::future;
use tokio::sync::{mpsc, oneshot};
use tracing::Span;

/// How many full batches may wait before further calls are refused.
const BATCHES_WAITING_MAX: usize = 16;

/// The handle by which callers hand in their inputs; cheap to clone.
///
/// The worker ends when the last handle is gone and the queue is empty.
pub struct Gatherer<I, O> {
    name: &'static str,
    queue: mpsc::Sender<Waiting<I, O>>,
}

impl<I, O> Clone for Gatherer<I, O> {
    fn clone(&self) -> Self {
        Self {
            name: self.name,
            queue: self.queue.clone(),
        }
    }
}

impl<I, O> std::fmt::Debug for Gatherer<I, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gatherer").finish_non_exhaustive()
    }
}

impl<I: Send + 'static, O: Send + 'static> Gatherer<I, O> {
    /// Starts the worker of one verb on the current runtime.
    ///
    /// `act` gets 1 to `limit` inputs in order of arrival and must return one
    /// output per input, in the same order. Batches never overlap.
    pub fn spawn<F, Fut>(name: &'static str, limit: usize, act: F) -> Self
    where
        F: Fn(Vec<I>) -> Fut + Send + 'static,
        Fut: Future<Output = Vec<O>> + Send + 'static,
    {
        let limit = limit.max(1);
        let (queue, arrivals) = mpsc::channel(limit.saturating_mul(BATCHES_WAITING_MAX));
        metrics::watch(name, queue.downgrade());
        tokio::spawn(worker::run(name, limit, arrivals, act));
        Self { name, queue }
    }

    /// Hands in one input and waits for its output.
    ///
    /// Once queued, the input is acted upon even if the caller goes away.
    pub async fn call(&self, input: I) -> Result<O, GatherError> {
        self.call_with(|_| input).await
    }

    /// The same for an input that says in which span its caller waits, so that
    /// others can go on below it.
    pub async fn call_with(&self, input: impl FnOnce(&Span) -> I) -> Result<O, GatherError> {
        let stay = Stay::begin(self.name);
        let input = input(stay.span());
        receive(self.enqueue(input, stay)).await
    }

    /// Hands in several inputs at once, in order; each stands alone, and waits
    /// in the span that comes with it.
    pub async fn call_many(
        &self,
        inputs: impl IntoIterator<Item = (Span, I)>,
    ) -> Vec<Result<O, GatherError>> {
        // All are queued before the first is awaited, so that they share a batch.
        let queued: Vec<_> = inputs
            .into_iter()
            .map(|(span, input)| self.enqueue(input, Stay::within(span)))
            .collect();
        future::join_all(queued.into_iter().map(receive)).await
    }

    fn enqueue(&self, input: I, stay: Stay) -> Result<Answer<O>, GatherError> {
        let (answer, receiver) = oneshot::channel();
        let waiting = Waiting {
            input,
            answer,
            stay,
        };
        let (refused, error) = match self.queue.try_send(waiting) {
            Ok(()) => return Ok(receiver),
            Err(mpsc::error::TrySendError::Full(refused)) => (refused, GatherError::Overloaded),
            Err(mpsc::error::TrySendError::Closed(refused)) => (refused, GatherError::Closed),
        };
        refused.stay.failed(error);
        Err(error)
    }
}

type Answer<O> = oneshot::Receiver<Result<O, GatherError>>;

async fn receive<O>(queued: Result<Answer<O>, GatherError>) -> Result<O, GatherError> {
    queued?.await.unwrap_or(Err(GatherError::Closed))
}
