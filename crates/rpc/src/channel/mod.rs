//! A channel to a peer that has several endpoints: they are looked up again
//! and again, connected before they are used, and each call goes to the less
//! busy of two. Retries that change what a call costs are not in here.

mod answer;
mod connection;
mod endpoint;
mod failure;
mod flight;
mod keeper;
mod place;
mod resolve;
mod set;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{
    Request, Response, Uri,
    header::{HeaderValue, USER_AGENT},
};
use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::sync::DropGuard;
use tonic::{Status, body::Body};
use tower::Service;
use tracing::Span;

pub use answer::Answer;
pub(crate) use failure::never_arrived;
pub(crate) use place::{NoPlace, Place};
pub(crate) use resolve::Names;

use flight::Lost;
use set::Set;

const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("cartwright-rpc/", env!("CARGO_PKG_VERSION")));

/// How often a call may be given back by connections that were just ending.
const RETURNS_MAX: usize = 16;

/// Calls a peer. Cheap to clone; when the last clone is gone its connections
/// end with the calls that are on their way.
#[derive(Clone)]
pub struct Channel(Arc<Inner>);

struct Inner {
    set: Arc<Set>,
    _stop: DropGuard,
}

/// When a call has no time left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Until(pub(crate) Instant);

/// Where a call was sent already. The next try goes elsewhere if it can.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tried(Arc<Mutex<Vec<SocketAddr>>>);

impl Tried {
    fn add(&self, address: SocketAddr) {
        self.0.lock().push(address);
    }

    fn has(&self, address: SocketAddr) -> bool {
        self.0.lock().contains(&address)
    }
}

impl Channel {
    /// Looks nothing up and connects to nothing until it is used, which must be
    /// inside of tokio.
    pub(crate) fn to(places: Vec<Place>, names: Names) -> Self {
        let set = Set::new(places, names);
        let stop = set.stop();
        let set = Arc::new(set);
        Self(Arc::new(Inner { set, _stop: stop }))
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").finish_non_exhaustive()
    }
}

impl Service<Request<Body>> for Channel {
    type Response = Response<Answer>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Status>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (channel, span) = (self.clone(), Span::current());
        Box::pin(async move { channel.send(request, &span).await })
    }
}

impl Channel {
    /// A request that no connection has sent goes to another; what became of
    /// one that was sent is for the caller to judge.
    async fn send(
        &self,
        mut request: Request<Body>,
        span: &Span,
    ) -> Result<Response<Answer>, Status> {
        Set::start(&self.0.set);
        let extensions = request.extensions_mut();
        let tried = extensions.remove::<Tried>().unwrap_or_default();
        let until = extensions.remove::<Until>().map(|Until(until)| until);
        for _ in 0..RETURNS_MAX {
            let flight = self.0.set.flight(&tried, until).await?;
            tried.add(flight.address());
            let place = flight.place();
            span.record("server.address", place.host.as_str());
            span.record("server.port", i64::from(place.port));
            address(&mut request, place);
            match flight.send(request).await {
                Ok(answer) => return Ok(answer),
                Err(Lost::Returned(returned)) => request = *returned,
                Err(Lost::Failed(status)) => return Err(status),
            }
        }
        Err(Status::unavailable("every connection was just ending"))
    }
}

/// Clients leave it open where a request goes.
fn address(request: &mut Request<Body>, place: &Place) {
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.scheme = Some(place.scheme.clone());
    parts.authority = Some(place.authority.clone());
    // With scheme and authority only a missing path could be wrong, and gRPC's
    // is never missing.
    *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    request.headers_mut().insert(USER_AGENT, AGENT);
}
