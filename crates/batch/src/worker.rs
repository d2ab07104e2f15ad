//! The one task per verb that runs batch after batch.

use crate::GatherError;
use futures::FutureExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokio::sync::{mpsc, oneshot};
use tracing::{Instrument, Span, error, info_span};

pub(crate) struct Waiting<I, O> {
    pub(crate) input: I,
    pub(crate) answer: oneshot::Sender<Result<O, GatherError>>,
    /// The caller's span: the batch's span is linked to it.
    pub(crate) span: Span,
}

pub(crate) async fn run<I, O, F, Fut>(
    name: &'static str,
    limit: usize,
    mut arrivals: mpsc::Receiver<Waiting<I, O>>,
    act: F,
) where
    F: Fn(Vec<I>) -> Fut,
    Fut: Future<Output = Vec<O>>,
{
    let mut gathered = Vec::with_capacity(limit);
    while arrivals.recv_many(&mut gathered, limit).await > 0 {
        let span = batch_span(name, &gathered);
        let (inputs, answers): (Vec<I>, Vec<_>) = gathered
            .drain(..)
            .map(|waiting| (waiting.input, waiting.answer))
            .unzip();
        // `act` may panic before its first await as well as after. It is called
        // here, and not in `finish`, so that it need not be `Sync`.
        let running = span.in_scope(|| catch_unwind(AssertUnwindSafe(|| act(inputs))));
        let outputs = finish(name, running.ok()).instrument(span).await;
        deliver(name, answers, outputs);
    }
}

/// The span hangs below the first caller's, so that a batch of one reads like
/// a plain call; the other callers' traces are linked.
fn batch_span<I, O>(name: &'static str, gathered: &[Waiting<I, O>]) -> Span {
    let parent = gathered.first().and_then(|first| first.span.id());
    let span = info_span!(parent: parent, "batch", batch.verb = name, batch.size = gathered.len());
    for waiting in gathered.iter().skip(1) {
        span.follows_from(waiting.span.id());
    }
    span
}

/// `None`: the batch panicked.
async fn finish<O, Fut>(name: &'static str, running: Option<Fut>) -> Option<Vec<O>>
where
    Fut: Future<Output = Vec<O>>,
{
    let outputs = match running {
        Some(running) => AssertUnwindSafe(running).catch_unwind().await.ok(),
        None => None,
    };
    if outputs.is_none() {
        error!(batch.verb = name, "a batch panicked");
    }
    outputs
}

fn deliver<O>(
    name: &'static str,
    answers: Vec<oneshot::Sender<Result<O, GatherError>>>,
    outputs: Option<Vec<O>>,
) {
    let outputs = outputs.filter(|outputs| {
        let complete = outputs.len() == answers.len();
        if !complete {
            error!(
                batch.verb = name,
                batch.size = answers.len(),
                outputs = outputs.len(),
                "a batch must answer each of its inputs"
            );
        }
        complete
    });
    // A failed send means that the caller went away: its item ran all the same.
    match outputs {
        Some(outputs) => {
            for (answer, output) in answers.into_iter().zip(outputs) {
                let _ = answer.send(Ok(output));
            }
        }
        None => {
            for answer in answers {
                let _ = answer.send(Err(GatherError::Panicked));
            }
        }
    }
}
