//! What is measured of requests over HTTP. A request ends when its answer has
//! been handed on, which for a stream is long after the answer began.

use std::{
    pin::Pin,
    sync::{Arc, LazyLock},
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    Router,
    body::{Body, HttpBody},
    extract::Request,
    middleware::{Next, from_fn},
    response::Response,
};
use bytes::Bytes;
use http::Method;
use http_body::{Frame, SizeHint};
use telemetry::metrics::{Counter, Histogram, KeyValue, SECONDS, counter, histogram};
use tracing::Span;

static REQUESTS: LazyLock<Counter> =
    LazyLock::new(|| counter("http.requests", "{request}", "Requests over HTTP."));
static DURATION: LazyLock<Histogram> = LazyLock::new(|| {
    histogram(
        "http.request.duration",
        "s",
        "How long a request over HTTP took, with all of its answer.",
        SECONDS,
    )
});

/// The route of all paths that nobody serves: they may hold anything.
pub(crate) const UNKNOWN_ROUTE: &str = "_unknown";

/// The verb as a name that is one of few.
pub(crate) fn verb(verb: &Method) -> &'static str {
    match verb.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "PATCH" => "PATCH",
        "OPTIONS" => "OPTIONS",
        _ => "_OTHER",
    }
}

/// Measures pages beside REST, which are all served at the one `route`.
pub fn measured(route: &'static str, pages: Router) -> Router {
    let route: Arc<str> = route.into();
    pages.route_layer(from_fn(move |request: Request, next: Next| {
        let measured = Measured::begin(verb(request.method()), route.clone(), Span::none());
        async move { measured.answered(next.run(request).await) }
    }))
}

/// A request that is being answered; counted when it is dropped, which is also
/// when the client has gone away.
pub(crate) struct Measured {
    verb: &'static str,
    route: Arc<str>,
    began: Instant,
    /// None: nobody waited for an answer.
    status: Option<u16>,
    /// Exemplars are taken from it.
    span: Span,
}

impl Measured {
    pub(crate) fn begin(verb: &'static str, route: Arc<str>, span: Span) -> Self {
        Self {
            verb,
            route,
            began: Instant::now(),
            status: None,
            span,
        }
    }

    pub(crate) fn answered(mut self, response: Response) -> Response {
        self.status = Some(response.status().as_u16());
        response.map(|body| {
            Body::new(Answer {
                body,
                measured: Some(self),
            })
        })
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let mut labels = vec![
            KeyValue::new("http.request.method", self.verb),
            KeyValue::new("http.route", self.route.to_string()),
        ];
        let status = self.status.map(i64::from);
        labels.extend(status.map(|status| KeyValue::new("http.response.status_code", status)));
        let seconds = self.began.elapsed().as_secs_f64();
        self.span.in_scope(|| {
            REQUESTS.add(1, &labels);
            DURATION.record(seconds, &labels);
        });
    }
}

/// The body of an answer, with which the request ends.
struct Answer {
    body: Body,
    measured: Option<Measured>,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.measured = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
