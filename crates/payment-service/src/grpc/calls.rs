//! How calls that change something are run and answered.

use std::time::Duration;

use idempotency::{Outcome, Saved};
use prost::Message;
use rpc::{Context, Problem, Tasks};
use tonic::{Response, Status};

use super::status::outcome_unknown;
use crate::app::{AppError, Reply};

/// Kept back of the caller's time, so that the answer still reaches it.
const MARGIN: Duration = Duration::from_millis(100);

/// Runs `work` to its end whether or not the caller waits. Shortly before the
/// caller's deadline it is told that the outcome is not known; the work goes
/// on, and the same key tells what became of it.
pub(super) async fn run(
    tasks: &Tasks,
    context: &Context,
    work: impl Future<Output = Result<Reply, AppError>> + Send + 'static,
) -> Result<Reply, Status> {
    let work = async move { work.await.map_err(Problem::from) };
    let patience = context.deadline.less(MARGIN).remaining();
    match tokio::time::timeout(patience, tasks.run(context, work)).await {
        Ok(reply) => reply,
        Err(_) => Err(outcome_unknown().into()),
    }
}

/// The message or the refusal that a reply holds, marked if it was given
/// before.
pub(super) fn answer<M: Message + Default>(reply: Reply) -> Result<Response<M>, Status> {
    if reply.is_replay {
        return rpc::respond(Outcome::<M>::Replayed(reply.saved), |message| message);
    }
    Ok(Response::new(decode(&reply.saved)?))
}

/// # Errors
/// The refusal, if that is what was kept.
pub(super) fn decode<M: Message + Default>(saved: &Saved) -> Result<M, Status> {
    if saved.code == 0 {
        let message = M::decode(saved.body.as_slice());
        return message.map_err(|_| Problem::internal().into());
    }
    let kept = tonic_types::pb::Status::decode(saved.body.as_slice());
    let kept = kept.map_err(|_| Problem::internal())?;
    Err(Status::with_details(
        tonic::Code::from_i32(kept.code),
        kept.message.clone(),
        saved.body.clone().into(),
    ))
}

/// A status for the result of one item of a batch.
pub(super) fn to_pb(status: &Status) -> tonic_types::pb::Status {
    let told = tonic_types::pb::Status::decode(status.details());
    match told {
        Ok(told) if told.code == status.code() as i32 => told,
        _ => tonic_types::pb::Status {
            code: status.code() as i32,
            message: status.message().to_owned(),
            details: Vec::new(),
        },
    }
}
