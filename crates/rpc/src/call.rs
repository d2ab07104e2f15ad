//! One call to a peer.

use std::{error::Error as StdError, time::Duration};

use prost::Name;
use tonic::{Code, Request, Response, Status, metadata::MetadataMap};
use tracing::Instrument;

use crate::watch::{Method, Watch};

/// Sends one call, in a span of its own, with the time it may take and its
/// idempotency key. A call that provably never reached a handler (connection
/// refused, stream refused, server going away) is sent once more; nothing else
/// is repeated here, that is for whoever holds the key.
///
/// # Errors
/// The peer's status; `DEADLINE_EXCEEDED` when the time is over, and then the
/// outcome is unknown.
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
        let request = request(message.clone(), key, timeout)?;
        let answer = match send(request).await {
            Err(status) if never_arrived(&status) => {
                tracing::debug!(error = %status, "sending a call again that never arrived");
                send(self::request(message, key, timeout)?).await
            }
            answer => answer,
        };
        answer.map(Response::into_inner).map_err(plain_deadline)
    };
    let answer = calling.instrument(watch.span()).await;
    watch.end(answer.as_ref().err().map_or(Code::Ok, Status::code));
    answer
}

fn request<M>(message: M, key: Option<&str>, timeout: Duration) -> Result<Request<M>, Status> {
    let mut request = Request::new(message);
    request.set_timeout(timeout);
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

/// tonic tells an expired deadline as `CANCELLED`, by its own timer and by the
/// server's alike.
fn plain_deadline(status: Status) -> Status {
    if status.code() == Code::Cancelled && status.message().contains("Timeout expired") {
        return Status::deadline_exceeded("the call took longer than it may");
    }
    status
}

/// True when the error shows that no handler saw the request.
fn never_arrived(status: &Status) -> bool {
    let mut cause = status.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<hyper::Error>()
            && error.is_canceled()
        {
            return true;
        }
        if let Some(error) = error.downcast_ref::<h2::Error>()
            && (error.reason() == Some(h2::Reason::REFUSED_STREAM)
                || error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR))
        {
            return true;
        }
        if let Some(error) = error.downcast_ref::<std::io::Error>()
            && error.kind() == std::io::ErrorKind::ConnectionRefused
        {
            return true;
        }
        cause = error.source();
    }
    false
}
