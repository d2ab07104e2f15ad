//! How a call ended, for its span and for metrics. The code of a call that was
//! carried out stands behind its answer, in the trailers.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;
use tonic::{Code, Status, body::Body};
use tracing::Span;

use crate::metrics::{self, Name};

/// A call from the gate to the end of its answer. One that is dropped before
/// was cancelled: its caller has gone away.
#[derive(Debug)]
pub(crate) struct Recording {
    name: Name,
    span: Span,
    began: Instant,
    is_over: bool,
}

impl Recording {
    pub(crate) fn begin(name: Name, span: Span) -> Self {
        metrics::began();
        Self {
            name,
            span,
            began: Instant::now(),
            is_over: false,
        }
    }

    /// Ends with the answer, if that is all in its headers, or else with its
    /// body.
    pub(crate) fn answered(mut self, response: Response<Body>) -> Response<Body> {
        if let Some(code) = code(response.headers()) {
            self.ended(code);
            return response;
        }
        response.map(|body| {
            Body::new(Recorded {
                body,
                recording: self,
            })
        })
    }

    fn ended(&mut self, code: Code) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        self.span.record("rpc.grpc.status_code", code as i32);
        if is_servers_fault(code) {
            self.span.record("otel.status_code", "ERROR");
        }
        let after = self.began.elapsed();
        self.span
            .in_scope(|| metrics::ended(&self.name, code, after));
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.ended(Code::Cancelled);
    }
}

pin_project! {
    /// The body of an answer.
    struct Recorded {
        #[pin]
        body: Body,
        recording: Recording,
    }
}

impl http_body::Body for Recorded {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.project();
        let span = this.recording.span.clone();
        let polled = span.in_scope(|| this.body.poll_frame(cx));
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(trailers) = frame.trailers_ref() {
                    let code = code(trailers).unwrap_or(Code::Unknown);
                    this.recording.ended(code);
                }
            }
            Poll::Ready(Some(Err(status))) => this.recording.ended(status.code()),
            Poll::Ready(None) => this.recording.ended(Code::Unknown),
            Poll::Pending => {}
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

pub(crate) fn code(headers: &HeaderMap) -> Option<Code> {
    let code = headers.get(Status::GRPC_STATUS)?;
    Some(Code::from_bytes(code.as_bytes()))
}

/// As OpenTelemetry has it: the other codes say that the caller asked for what
/// cannot be.
fn is_servers_fault(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}
