//! One call to a peer.

use std::time::Duration;

use prost::Name;
use tokio::time::Instant;
use tonic::{Code, Request, Response, Status, metadata::MetadataMap};
use tracing::Instrument;

use crate::{
    channel::{Tried, Until, never_arrived},
    metrics, share,
    watch::{Method, Watch},
};

/// Sends one call, in a span of its own, with the time it may take and its
/// idempotency key. A call that provably never reached a handler (stream
/// refused, server going away) is sent once more, to another endpoint if there
/// is one; nothing else is repeated here, that is for whoever holds the key.
///
/// Within a handler that a caller waits for, `timeout` is cut to what is left
/// of the caller's time.
///
/// # Errors
/// The peer's status; `DEADLINE_EXCEEDED` when the time is over, and then the
/// outcome is unknown, unless there was no time from the beginning.
pub async fn call<M, R, F, Fut>(
    message: M,
    key: Option<&str>,
    timeout: Duration,
    send: F,
) -> Result<R, Status>
where
    M: Clone + Name,
    F: Fn(Request<M>) -> Fut,
    Fut: Future<Output = Result<Response<R>, Status>>,
{
    let watch = Watch::begin(Method::of::<M>());
    let calling = async {
        let timeout = share::of(timeout)
            .ok_or_else(|| Status::deadline_exceeded("no time is left for the call"))?;
        let until = Instant::now() + timeout;
        let (until, tried) = (Until(until), Tried::default());
        let request = |message| request(message, key, until, tried.clone());
        let sending = async {
            match send(request(message.clone())?).await {
                Err(status) if never_arrived(&status) => {
                    metrics::resent();
                    tracing::debug!(error = %status, "sending a call again that never arrived");
                    send(request(message)?).await
                }
                answer => answer,
            }
        };
        let answer = tokio::time::timeout_at(until.0, sending).await;
        let answer = answer.unwrap_or_else(|_| Err(too_late()));
        answer.map(Response::into_inner).map_err(plain_deadline)
    };
    let answer = calling.instrument(watch.span()).await;
    watch.end(answer.as_ref().err().map_or(Code::Ok, Status::code));
    answer
}

fn request<M>(
    message: M,
    key: Option<&str>,
    until: Until,
    tried: Tried,
) -> Result<Request<M>, Status> {
    let mut request = Request::new(message);
    request.set_timeout(until.0.saturating_duration_since(Instant::now()));
    request.extensions_mut().insert(until);
    request.extensions_mut().insert(tried);
    if let Some(key) = key {
        let key = key
            .parse()
            .map_err(|_| Status::invalid_argument("the idempotency key is not ASCII"))?;
        request.metadata_mut().insert("idempotency-key", key);
    }
    let mut headers = std::mem::take(request.metadata_mut()).into_headers();
    telemetry::propagation::inject(&mut headers);
    *request.metadata_mut() = MetadataMap::from_headers(headers);
    Ok(request)
}

fn too_late() -> Status {
    Status::deadline_exceeded("the call took longer than it may")
}

/// A server on tonic tells an expired deadline as `CANCELLED`.
fn plain_deadline(status: Status) -> Status {
    if status.code() == Code::Cancelled && status.message().contains("Timeout expired") {
        return too_late();
    }
    status
}
