//! Answers: fresh ones, and those kept under an idempotency key.

use idempotency::{Outcome, Saved};
use prost::Message;
use tonic::{Response, Status, metadata::MetadataValue};

use crate::{Problem, wire::to_wire};

/// Set on every answer that was given before. On success it is moved into the
/// trailers by the edge.
pub const REPLAYED: &str = "idempotent-replayed";

/// # Errors
/// The refusal that was kept; `INTERNAL` for an outcome that the verb had to
/// finish first.
pub fn respond<T, M: Message + Default>(
    outcome: Outcome<T>,
    render: impl FnOnce(T) -> M,
) -> Result<Response<M>, Status> {
    match outcome {
        Outcome::Fresh(value) => Ok(Response::new(render(value))),
        Outcome::Replayed(saved) => replayed(&saved),
        Outcome::Resumed { resource } => {
            tracing::error!(%resource, "a resumed call reached the edge unfinished");
            Err(Problem::internal().into())
        }
    }
}

fn replayed<M: Message + Default>(saved: &Saved) -> Result<Response<M>, Status> {
    let yes = MetadataValue::from_static("true");
    if saved.code == 0 {
        let message = M::decode(saved.body.as_slice()).map_err(|_| Problem::internal())?;
        let mut response = Response::new(message);
        response.metadata_mut().insert(REPLAYED, yes);
        return Ok(response);
    }
    let kept = tonic_types::pb::Status::decode(saved.body.as_slice());
    let mut status = to_wire(&kept.map_err(|_| Problem::internal())?);
    status.metadata_mut().insert(REPLAYED, yes);
    Err(status)
}
