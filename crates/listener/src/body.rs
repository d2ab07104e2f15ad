//! Bodies of requests, which must make progress, and of answers, which must be
//! taken.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use tokio::time::Sleep;

use crate::activity::Activity;

/// The body of a request.
#[derive(Debug)]
pub struct Body {
    incoming: Incoming,
    /// How long nothing may come.
    stall: Duration,
    /// Runs while nothing comes.
    waiting: Option<Pin<Box<Sleep>>>,
}

/// Why a body ends early.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The client sent nothing for too long.
    #[error("the body of the request did not come in time")]
    Stalled,
    /// The connection or the stream broke, or what came is no body.
    #[error("the body of the request broke off")]
    Broken(#[from] hyper::Error),
}

impl Body {
    pub(crate) fn new(incoming: Incoming, stall: Duration) -> Self {
        Self {
            incoming,
            stall,
            waiting: None,
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(cx) {
            self.waiting = None;
            return Poll::Ready(frame.map(|frame| Ok(frame?)));
        }
        let stall = self.stall;
        let start = || Box::pin(tokio::time::sleep(stall));
        ready!(self.waiting.get_or_insert_with(start).as_mut().poll(cx));
        Poll::Ready(Some(Err(BodyError::Stalled)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// A request that is being answered, until it is dropped.
#[derive(Debug)]
pub(crate) struct InFlight {
    activity: Arc<Activity>,
    /// A part of the answer was handed out and no other asked for since.
    waits: bool,
}

impl InFlight {
    pub(crate) fn new(activity: Arc<Activity>) -> Self {
        activity.request_began();
        let waits = false;
        Self { activity, waits }
    }

    fn waits(&mut self, waits: bool) {
        if self.waits == waits {
            return;
        }
        self.waits = waits;
        match waits {
            true => self.activity.answer_waits(),
            false => self.activity.answer_taken(),
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.waits(false);
        self.activity.request_ended();
    }
}

pin_project! {
    /// The body of an answer.
    pub(crate) struct Answer<B> {
        #[pin]
        body: B,
        in_flight: InFlight,
    }
}

impl<B> Answer<B> {
    pub(crate) fn new(body: B, in_flight: InFlight) -> Self {
        Self { body, in_flight }
    }
}

impl<B: http_body::Body> http_body::Body for Answer<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        this.in_flight.waits(false);
        let frame = ready!(this.body.poll_frame(cx));
        this.in_flight.waits(frame.is_some());
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
