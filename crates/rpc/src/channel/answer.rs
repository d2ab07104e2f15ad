//! What a peer answers, as long as it comes in.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tonic::Status;

use super::{failure, flight::Flight};

/// The body of an answer. Its call is in flight until the body ends.
pub struct Answer {
    body: Incoming,
    flight: Option<Flight>,
}

impl Answer {
    pub(super) fn new(body: Incoming, flight: Flight) -> Self {
        Self {
            body,
            flight: Some(flight),
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        let goes_on = matches!(&frame, Some(Ok(frame)) if frame.is_data());
        if !goes_on {
            self.flight.take();
        }
        Poll::Ready(frame.map(|frame| frame.map_err(failure::status)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
