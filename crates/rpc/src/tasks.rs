//! Work that nobody's hang-up can cancel.

use std::future::Future;

use tokio_util::task::TaskTracker;
use tonic::Status;
use tracing::Instrument;

use crate::{Context, Problem, Reason, share};

/// Runs each mutating handler on a task of its own. tonic drops a handler when
/// the client goes away; a transaction or a call to a peer must not be dropped
/// half-way. The process waits for these tasks before it ends.
#[derive(Debug, Clone)]
pub struct Tasks(TaskTracker);

impl Tasks {
    pub fn new(tracker: TaskTracker) -> Self {
        Self(tracker)
    }

    /// # Errors
    /// The work's own problem; `INTERNAL` when it panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        context: &Context,
        work: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Status> {
        let context = context.clone();
        let work = async move {
            let result = share::within(context.deadline, work).await;
            drop(context);
            result
        };
        match self.0.spawn(work.in_current_span()).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(problem)) => Err(problem.into()),
            Err(panic) => {
                tracing::error!(error = %panic, reason = Reason::Internal.code(), "handler panicked");
                Err(Problem::internal().into())
            }
        }
    }
}
