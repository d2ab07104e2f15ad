//! The one task per verb that runs batch after batch.

use crate::{GatherError, metrics, stay::Stay};
use futures::FutureExt;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};
use telemetry::propagation::link;
use tokio::sync::{mpsc, oneshot};
use tracing::{Instrument, Span, error, info_span};

pub(crate) struct Waiting<I, O> {
    pub(crate) input: I,
    pub(crate) answer: oneshot::Sender<Result<O, GatherError>>,
    pub(crate) stay: Stay,
}

/// A caller, once its input is taken.
struct Caller<O> {
    answer: oneshot::Sender<Result<O, GatherError>>,
    stay: Stay,
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
        let began = Instant::now();
        let span = batch_span(name, &gathered);
        let (inputs, callers): (Vec<I>, Vec<_>) = gathered.drain(..).map(parted).unzip();
        // `act` may panic before its first await as well as after. It is called
        // here, and not in `finish`, so that it need not be `Sync`.
        let running = span.in_scope(|| catch_unwind(AssertUnwindSafe(|| act(inputs))));
        let outputs = finish(name, running.ok()).instrument(span.clone()).await;
        span.in_scope(|| metrics::done(name, callers.len(), began.elapsed()));
        drop(span);
        deliver(name, callers, outputs);
    }
}

fn parted<I, O>(waiting: Waiting<I, O>) -> (I, Caller<O>) {
    let Waiting {
        input,
        answer,
        stay,
    } = waiting;
    (input, Caller { answer, stay })
}

/// The span hangs below that of the first caller whose trace is kept, so that a
/// batch of one reads like a plain call, and what was done for many is seen by
/// somebody. The others find it by a link, and it them.
fn batch_span<I, O>(name: &'static str, gathered: &[Waiting<I, O>]) -> Span {
    let stays = || gathered.iter().map(|waiting| &waiting.stay);
    let kept = stays().position(Stay::is_kept);
    let host = stays().nth(kept.unwrap_or(0));
    let parent = host.and_then(|stay| stay.span().id());
    let size = i64::try_from(gathered.len()).unwrap_or(i64::MAX);
    let span = info_span!(parent: parent, "batch", batch.verb = name, batch.size = size);
    let after_host = kept.map_or(gathered.len(), |kept| kept + 1);
    for stay in stays().skip(after_host).filter(|stay| stay.is_kept()) {
        link(&span, stay.span());
        link(stay.span(), &span);
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

fn deliver<O>(name: &'static str, callers: Vec<Caller<O>>, outputs: Option<Vec<O>>) {
    let outputs = outputs.filter(|outputs| {
        let complete = outputs.len() == callers.len();
        if !complete {
            error!(
                batch.verb = name,
                batch.size = callers.len(),
                outputs = outputs.len(),
                "a batch must answer each of its inputs"
            );
        }
        complete
    });
    // A failed send means that the caller went away: its item ran all the same.
    match outputs {
        Some(outputs) => {
            for (caller, output) in callers.into_iter().zip(outputs) {
                drop(caller.stay);
                let _ = caller.answer.send(Ok(output));
            }
        }
        None => {
            for caller in callers {
                caller.stay.failed(GatherError::Panicked);
                drop(caller.stay);
                let _ = caller.answer.send(Err(GatherError::Panicked));
            }
        }
    }
}
