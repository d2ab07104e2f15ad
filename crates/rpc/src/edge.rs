//! What happens to every call around its handler: a span under the caller's
//! trace, a deadline, a place in the service, and answers in our form also
//! where the framework answered.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context as Poller, Poll, ready},
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::{Frame, SizeHint};
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};
use tracing::{Instrument, Span, field::Empty};

use crate::{Caller, Deadline, Problem, admission::Admission, context::Admitted, replay::REPLAYED};

const GRPC_TIMEOUT: &str = "grpc-timeout";

/// Calls of gRPC's own services are never shed nor traced.
const INFRASTRUCTURE: &str = "/grpc.";

#[derive(Debug, Clone)]
pub(crate) struct EdgeLayer {
    pub(crate) admission: Arc<Admission>,
    pub(crate) default_deadline: Duration,
    pub(crate) max_deadline: Duration,
}

impl<S> Layer<S> for EdgeLayer {
    type Service = Edge<S>;

    fn layer(&self, inner: S) -> Edge<S> {
        Edge {
            inner,
            layer: self.clone(),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Edge<S> {
    inner: S,
    layer: EdgeLayer,
}

type Answer<E> = Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>;

impl<S> Service<Request<Body>> for Edge<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Answer<S::Error>;

    fn poll_ready(&mut self, context: &mut Poller<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // The instance that was polled ready serves; its clone waits.
        let waiting = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, waiting);
        if request.uri().path().starts_with(INFRASTRUCTURE) {
            return Box::pin(inner.call(request));
        }
        let deadline = self.layer.deadline(request.headers());
        let admission = self.layer.admission.clone();
        let span = span(&request);
        telemetry::propagation::set_parent(&span, request.headers());
        let work = async move {
            let permit = match admission.enter(deadline).await {
                Ok(permit) => permit,
                Err(problem) => return Ok(recorded(Status::from(problem).into_http())),
            };
            request.extensions_mut().insert(Admitted {
                caller: Caller::local(),
                deadline,
                permit,
            });
            inner.call(request).await.map(finished).map(recorded)
        };
        Box::pin(work.instrument(span))
    }
}

impl EdgeLayer {
    fn deadline(&self, headers: &HeaderMap) -> Deadline {
        let asked = headers.get(GRPC_TIMEOUT).and_then(grpc_timeout);
        Deadline::after(
            asked
                .unwrap_or(self.default_deadline)
                .min(self.max_deadline),
        )
    }
}

/// At most eight digits and a unit, as gRPC over HTTP/2 defines it.
fn grpc_timeout(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(amount * 3600)),
        "M" => Some(Duration::from_secs(amount * 60)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

fn span(request: &Request<Body>) -> Span {
    let path = request.uri().path().trim_start_matches('/');
    let (service, method) = path.split_once('/').unwrap_or((path, ""));
    tracing::info_span!(
        "rpc",
        otel.name = path,
        otel.kind = "server",
        rpc.system = "grpc",
        rpc.service = service,
        rpc.method = method,
        rpc.grpc.status_code = Empty,
    )
}

fn recorded(response: Response<Body>) -> Response<Body> {
    let code = match response.headers().get(Status::GRPC_STATUS) {
        Some(code) => Code::from_bytes(code.as_bytes()),
        None => Code::Ok,
    };
    Span::current().record("rpc.grpc.status_code", code as i32);
    response
}

fn finished(mut response: Response<Body>) -> Response<Body> {
    if let Some(problem) = problem_of_framework(response.headers()) {
        return Status::from(problem).into_http();
    }
    let replayed = HeaderName::from_static(REPLAYED);
    let has_status = response.headers().contains_key(Status::GRPC_STATUS);
    match response.headers_mut().remove(&replayed) {
        Some(value) if has_status => {
            response.headers_mut().insert(replayed, value);
            response
        }
        Some(value) => response.map(|body| {
            Body::new(WithTrailer {
                body,
                trailer: Some((replayed, value)),
            })
        }),
        None => response,
    }
}

/// tonic answers for a message that it cannot take before any handler sees it,
/// with codes that would blame the server.
fn problem_of_framework(headers: &HeaderMap) -> Option<Problem> {
    let status = Status::from_header_map(headers)?;
    if !status.details().is_empty() {
        return None;
    }
    let too_large = status.message().contains("message length too large");
    let malformed = status.message().contains("decode Protobuf message")
        || status.message().contains("invalid compression flag")
        || status.message().contains("Unexpected EOF decoding stream");
    match status.code() {
        Code::OutOfRange | Code::ResourceExhausted if too_large => Some(Problem::invalid(
            "message",
            "must be at most 4 MiB; send less at once",
        )),
        Code::Internal if malformed => Some(Problem::invalid(
            "message",
            "must be protobuf of the method's request",
        )),
        _ => None,
    }
}

pin_project_lite::pin_project! {
    /// Adds one entry to the trailers of a body.
    struct WithTrailer {
        #[pin]
        body: Body,
        trailer: Option<(HeaderName, HeaderValue)>,
    }
}

impl http_body::Body for WithTrailer {
    type Data = bytes::Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Poller<'_>,
    ) -> Poll<Option<Result<Frame<bytes::Bytes>, Status>>> {
        let this = self.project();
        let frame = ready!(this.body.poll_frame(context));
        Poll::Ready(frame.map(|frame| {
            let mut frame = frame?;
            if let Some(trailers) = frame.trailers_mut() {
                trailers.extend(this.trailer.take());
            }
            Ok(frame)
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_grpc_defines_them() {
        let read = |text: &str| grpc_timeout(&HeaderValue::from_str(text).unwrap());
        assert_eq!(read("150m"), Some(Duration::from_millis(150)));
        assert_eq!(
            read("99999999H"),
            Some(Duration::from_secs(99_999_999 * 3600))
        );
        for bad in ["", "m", "1", "-1S", "123456789S", "1x", "1.5S", "é"] {
            let value = HeaderValue::from_bytes(bad.as_bytes()).unwrap();
            assert_eq!(grpc_timeout(&value), None, "{bad}");
        }
    }
}
