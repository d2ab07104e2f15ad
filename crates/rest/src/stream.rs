//! Streams of messages as server-sent events.
//!
//! `id` is the sequence, so that `Last-Event-ID` resumes where a connection
//! broke; `event` says which choice of the message is set; `data` is the
//! message. A stream that fails ends with an event `problem`.

use std::{pin::Pin, time::Duration};

use axum::{
    body::Body as Outgoing,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{Stream, stream};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::BodyExt;
use prost_reflect::{DynamicMessage, MethodDescriptor, ReflectMessage, Value};
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Status, body::Body};
use tracing::Span;

use crate::{answer, frame::Decoder, problem::Problem, render::Rendered, route::Route};

/// A broken connection is tried again after this.
const RETRY: &str = "retry: 2000\n\n";
const KEEPALIVE: &str = ": keepalive\n\n";

/// A stream under way. Dropped with the connection, and the method with it.
struct Events {
    method: MethodDescriptor,
    body: Body,
    decoder: Decoder,
    keepalive: Duration,
    /// The client asked not to be told longer.
    end: Option<Instant>,
    span: Span,
    is_over: bool,
}

pub(crate) fn events(
    route: &Route,
    answer: http::Response<Body>,
    keepalive: Duration,
    end: Option<Duration>,
) -> Response {
    let (parts, body) = answer.into_parts();
    // Refused before there was any message.
    if let Some(status) = Status::from_header_map(&parts.headers)
        && status.code() != Code::Ok
    {
        return answer::refused(&status, &parts.headers);
    }
    let events = Events {
        method: route.method.descriptor.clone(),
        body,
        decoder: Decoder::default(),
        keepalive,
        end: end.map(|end| Instant::now() + end),
        span: Span::current(),
        is_over: false,
    };
    let first = stream::iter([Ok(Bytes::from_static(RETRY.as_bytes()))]);
    let body = Outgoing::from_stream(futures::StreamExt::chain(first, pieces(events)));
    let mut response = (StatusCode::OK, body).into_response();
    let media_type = HeaderValue::from_static("text/event-stream");
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, media_type);
    // Proxies that gather answers would hold events back.
    let unbuffered = HeaderValue::from_static("no");
    response
        .headers_mut()
        .insert("x-accel-buffering", unbuffered);
    response
}

type Piece = Result<Bytes, std::convert::Infallible>;

fn pieces(events: Events) -> Pin<Box<dyn Stream<Item = Piece> + Send>> {
    Box::pin(stream::unfold(events, |mut events| async move {
        let piece = events.piece().await?;
        Some((Ok(Bytes::from(piece)), events))
    }))
}

impl Events {
    async fn piece(&mut self) -> Option<String> {
        while !self.is_over {
            match self.decoder.next() {
                Ok(Some(message)) => return Some(self.event(message)),
                Ok(None) => {}
                Err(_) => return Some(self.failed(Problem::internal())),
            }
            let keepalive = Instant::now() + self.keepalive;
            let until = self.end.map_or(keepalive, |end| end.min(keepalive));
            let frame = match timeout_at(until, self.body.frame()).await {
                Ok(frame) => frame?,
                Err(_) if self.end.is_some_and(|end| end <= Instant::now()) => return None,
                Err(_) => return Some(KEEPALIVE.to_owned()),
            };
            match frame.map(|frame| frame.into_data().map_err(|frame| frame.into_trailers())) {
                Ok(Ok(data)) => self.decoder.push(&data),
                Ok(Err(trailers)) => return self.ended(&trailers.unwrap_or_default()),
                Err(status) => return Some(self.failed(Problem::from(&status))),
            }
        }
        None
    }

    fn event(&mut self, bytes: Bytes) -> String {
        let Some(message) = answer::parse(&self.method, bytes) else {
            return self.failed(Problem::internal());
        };
        let data = String::from_utf8(Rendered(&message).to_vec()).unwrap_or_default();
        let name = choice(&message).unwrap_or_else(|| "message".to_owned());
        match sequence(&message) {
            Some(id) => format!("id: {id}\nevent: {name}\ndata: {data}\n\n"),
            None => format!("event: {name}\ndata: {data}\n\n"),
        }
    }

    fn ended(&mut self, trailers: &HeaderMap) -> Option<String> {
        self.is_over = true;
        let status = Status::from_header_map(trailers)?;
        (status.code() != Code::Ok).then(|| self.failed(Problem::from(&status)))
    }

    fn failed(&mut self, problem: Problem) -> String {
        self.is_over = true;
        let document = self.span.in_scope(|| problem.document());
        let data = serde_json::to_string(&document).unwrap_or_default();
        format!("event: problem\ndata: {data}\n\n")
    }
}

/// The name of the choice that is set.
fn choice(message: &DynamicMessage) -> Option<String> {
    let descriptor = message.descriptor();
    let mut oneofs = descriptor.oneofs().filter(|oneof| !oneof.is_synthetic());
    let oneof = oneofs.next()?;
    let set = oneof.fields().find(|field| message.has_field(field))?;
    Some(set.name().to_owned())
}

/// A choice that is a number is the sequence itself.
fn sequence(message: &DynamicMessage) -> Option<i64> {
    let value = message.get_field_by_name(&choice(message)?)?.into_owned();
    match value {
        Value::I64(sequence) => Some(sequence),
        Value::Message(inner) => inner.get_field_by_name("sequence")?.as_i64(),
        _ => None,
    }
}
