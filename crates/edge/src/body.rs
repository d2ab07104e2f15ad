//! Bodies of requests, which must arrive, and of answers, which must end.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Body as _, Frame, SizeHint};
use pin_project_lite::pin_project;
use rpc::Problem;
use tokio::time::Sleep;
use tonic::{Status, body::Body};

pin_project! {
    /// The message of a call that has one: all of it must come in time, else
    /// a slow sender would hold a place.
    pub(crate) struct Arriving {
        #[pin]
        body: Body,
        within: Pin<Box<Sleep>>,
    }
}

impl Arriving {
    pub(crate) fn within(time: Duration, body: Body) -> Body {
        if body.is_end_stream() {
            return body;
        }
        let within = Box::pin(tokio::time::sleep(time));
        Body::new(Self { body, within })
    }
}

impl http_body::Body for Arriving {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.project();
        if let Poll::Ready(frame) = this.body.poll_frame(cx) {
            return Poll::Ready(frame);
        }
        ready!(this.within.as_mut().poll(cx));
        Poll::Ready(Some(Err(Problem::deadline_exceeded().into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// When and how a stream is ended from outside.
pub(crate) struct End {
    pub(crate) after: Duration,
    pub(crate) problem: Problem,
}

pin_project! {
    /// The answer of a call. A panic while it is made becomes `INTERNAL`.
    pub(crate) struct Ending {
        #[pin]
        body: Body,
        // One entry more for the trailers.
        trailer: Option<(HeaderName, HeaderValue)>,
        end: Option<(Pin<Box<Sleep>>, Problem)>,
        ended: bool,
    }
}

impl Ending {
    pub(crate) fn of(
        body: Body,
        trailer: Option<(HeaderName, HeaderValue)>,
        end: Option<End>,
    ) -> Body {
        let end = end.map(|end| (Box::pin(tokio::time::sleep(end.after)), end.problem));
        Body::new(Self {
            body,
            trailer,
            end,
            ended: false,
        })
    }
}

impl http_body::Body for Ending {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        if let Some((at, problem)) = this.end
            && at.as_mut().poll(cx).is_ready()
        {
            *this.ended = true;
            return Poll::Ready(Some(Ok(trailers(problem.clone()))));
        }
        let body = this.body;
        // The panic hook has logged it.
        let Ok(polled) = catch_unwind(AssertUnwindSafe(|| body.poll_frame(cx))) else {
            *this.ended = true;
            return Poll::Ready(Some(Ok(trailers(Problem::internal()))));
        };
        Poll::Ready(ready!(polled).map(|frame| {
            let mut frame = frame?;
            if let Some(trailers) = frame.trailers_mut() {
                trailers.extend(this.trailer.take());
            }
            Ok(frame)
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match self.end {
            Some(_) => SizeHint::default(),
            None => self.body.size_hint(),
        }
    }
}

fn trailers(problem: Problem) -> Frame<Bytes> {
    let mut headers = HeaderMap::new();
    // Fails only for a message that is no header, and ours are percent-encoded.
    let _ = Status::from(problem).add_header(&mut headers);
    Frame::trailers(headers)
}
