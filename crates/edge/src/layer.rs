//! The gate as a layer around the handlers of a service: each call in a span
//! under the caller's trace, refused or let in, ended in time, answered in our
//! form.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    sync::Arc,
    task::{Context, Poll},
};

use futures::{FutureExt, future::BoxFuture};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header::CONTENT_TYPE};
use listener::Peer;
use rpc::{Problem, REPLAYED, Reason};
use tonic::{Code, Status, body::Body, service::Routes};
use tower::{Service, ServiceExt};
use tracing::{Instrument, Span, field::Empty};

use crate::{
    body::{Arriving, End, Ending},
    caller, deadline, framework,
    gate::{Asked, Gate, Pass},
    metrics::{self, Name},
    recording::{self, Recording},
};

/// gRPC's own services are never denied, shed nor traced.
const OPEN: [&str; 3] = [
    "/grpc.health.v1.Health/",
    "/grpc.reflection.v1.ServerReflection/",
    "/grpc.reflection.v1alpha.ServerReflection/",
];

/// The handlers of a service behind the gate. Takes gRPC requests whose
/// extensions hold the [`Peer`]. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Gated {
    gate: Arc<Gate>,
    routes: Routes,
}

impl Gated {
    pub(crate) fn new(gate: Arc<Gate>, routes: Routes) -> Self {
        Self { gate, routes }
    }
}

impl Service<Request<Body>> for Gated {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let this = self.clone();
        if !is_grpc(&request) {
            return Box::pin(async { Ok(not_grpc()) });
        }
        let path = request.uri().path();
        if OPEN.iter().any(|service| path.starts_with(service)) {
            return Box::pin(this.routes.oneshot(request));
        }
        let known = this.gate.known(path);
        let name = known.map_or_else(Name::other, |known| known.name.clone());
        let span = span(&name);
        telemetry::propagation::set_parent(&span, request.headers());
        let recording = Recording::begin(name, span.clone());
        let answering = async move {
            let answer = AssertUnwindSafe(this.answer(request)).catch_unwind().await;
            // The panic hook has logged it.
            let answer = answer.unwrap_or_else(|_| refused(Problem::internal()));
            Ok(recording.answered(answer))
        };
        Box::pin(answering.instrument(span))
    }
}

impl Gated {
    async fn answer(self, mut request: Request<Body>) -> Response<Body> {
        let gate = self.gate.clone();
        let Some(known) = gate.known(request.uri().path()) else {
            let message = "there is no such method; reflection tells which there are";
            return turned_away(Problem::new(Reason::UnknownMethod, message));
        };
        // Only a request that did not come over a listener of ours has none.
        let Some(peer) = request.extensions().get::<Peer>().cloned() else {
            return refused(Problem::internal());
        };
        let asked = Asked {
            known,
            headers: request.headers(),
            peer: &peer,
            address: gate.address(&peer, request.headers()),
        };
        let pass = match gate.pass(&asked).await {
            Ok(pass) => pass,
            Err(problem) => return turned_away(problem),
        };
        let kind = caller::kind(&pass.admitted.caller);
        Span::current().record("caller", &*kind);
        let patience = gate.patience(request.headers());
        let streams = known.method.descriptor.is_server_streaming();
        let end = end(&request, &pass).filter(|_| streams);
        request.extensions_mut().insert(pass.admitted);
        let request = match known.method.descriptor.is_client_streaming() {
            true => request,
            false => request.map(|body| Arriving::within(gate.body_timeout, body)),
        };
        // A handler that changes something goes on by itself, see `rpc::Tasks`.
        match tokio::time::timeout(patience, self.routes.oneshot(request)).await {
            Ok(Ok(response)) => {
                if recording::code(response.headers()) == Some(Code::InvalidArgument) {
                    pass.place.is_not_used();
                }
                finished(response, end)
            }
            Err(_) => refused(Problem::deadline_exceeded()),
        }
    }
}

/// A stream ends at the caller's deadline, if it has one, and when its token
/// has expired.
fn end(request: &Request<Body>, pass: &Pass) -> Option<End> {
    let deadline = deadline::asked(request.headers()).map(|after| End {
        after,
        problem: Problem::deadline_exceeded(),
    });
    let expiry = pass.valid_for.map(|after| End {
        after,
        problem: Problem::new(Reason::Unauthenticated, "the token has expired")
            .with_metadata("token_error", "expired"),
    });
    let both = [deadline, expiry].into_iter().flatten();
    both.min_by_key(|end| end.after)
}

fn is_grpc(request: &Request<Body>) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE);
    content_type.is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// As gRPC over HTTP/2 asks for.
fn not_grpc() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    response
}

fn span(name: &Name) -> Span {
    let (service, method) = (&*name.service, &*name.method);
    tracing::info_span!(
        "rpc",
        otel.name = format!("{service}/{method}"),
        otel.kind = "server",
        otel.status_code = Empty,
        rpc.system = "grpc",
        rpc.service = service,
        rpc.method = method,
        rpc.grpc.status_code = Empty,
        order.id = Empty,
        payment.id = Empty,
        caller = Empty,
    )
}

/// By the gate, before anything was done.
fn turned_away(problem: Problem) -> Response<Body> {
    metrics::refused(problem.reason());
    refused(problem)
}

fn refused(problem: Problem) -> Response<Body> {
    Status::from(problem).into_http()
}

fn finished(mut response: Response<Body>, end: Option<End>) -> Response<Body> {
    if let Some(problem) = framework::problem(response.headers()) {
        return refused(problem);
    }
    if response.headers().contains_key(Status::GRPC_STATUS) {
        return response;
    }
    let replayed = HeaderName::from_static(REPLAYED);
    let trailer: Option<(HeaderName, HeaderValue)> = response
        .headers_mut()
        .remove(&replayed)
        .map(|value| (replayed, value));
    match (trailer, end) {
        (None, None) => response,
        (trailer, end) => response.map(|body| Ending::of(body, trailer, end)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests;
