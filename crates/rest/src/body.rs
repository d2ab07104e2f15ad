//! The body of the gRPC request. It is made only when somebody reads it, so a
//! caller that is not let in costs no parsing.

use std::sync::{Arc, OnceLock};

use axum::body::Body as Incoming;
use bytes::Bytes;
use futures::stream;
use http::{HeaderMap, StatusCode, header};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, LengthLimitError, Limited, StreamBody};
use prost::Message;
use serde_json::Value as Json;
use tonic::Status;

use crate::{
    frame, json,
    problem::Problem,
    request::{self, Head},
    route::{Body, Route},
    settings::Settings,
};

/// Why the body could not be made: told over the gRPC answer, which would not
/// know.
pub(crate) type Refusal = Arc<OnceLock<Problem>>;

pub(crate) fn lazy(
    route: Arc<Route>,
    settings: Arc<Settings>,
    head: Head,
    incoming: Incoming,
) -> (tonic::body::Body, Refusal) {
    let refusal = Refusal::default();
    let told = refusal.clone();
    let work = async move {
        let message = make(&route, &settings, &head, incoming).await;
        message.map(Frame::data).map_err(|problem| {
            let status = Status::invalid_argument("the request cannot be read");
            // Set once: this future runs once.
            let _ = told.set(problem);
            status
        })
    };
    let body = tonic::body::Body::new(StreamBody::new(stream::once(work)));
    (body, refusal)
}

async fn make(
    route: &Route,
    settings: &Settings,
    head: &Head,
    incoming: Incoming,
) -> Result<Bytes, Problem> {
    let bytes = tokio::time::timeout(settings.body_timeout(), read(incoming, settings))
        .await
        .map_err(|_| {
            let late = format!("must be sent within {} ms", settings.body_timeout_ms);
            Problem::invalid("body", late).with_status(StatusCode::REQUEST_TIMEOUT)
        })??;
    let body = parse(route, &head.headers, &bytes)?;
    let message = request::message(route, head, body)?;
    Ok(frame::encode(&message.encode_to_vec()))
}

async fn read(incoming: Incoming, settings: &Settings) -> Result<Bytes, Problem> {
    let most = settings.max_body_bytes;
    let too_large = || {
        Problem::invalid(
            "body",
            format!("must be at most {most} bytes; send less at once"),
        )
        .with_status(StatusCode::PAYLOAD_TOO_LARGE)
    };
    let announced = incoming.size_hint().lower();
    if usize::try_from(announced).is_ok_and(|announced| announced > most) {
        return Err(too_large());
    }
    match Limited::new(incoming, most).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(Problem::invalid("body", "ended before all of it was sent")),
    }
}

fn parse(route: &Route, headers: &HeaderMap, bytes: &[u8]) -> Result<Option<Json>, Problem> {
    if bytes.is_empty() {
        return Ok(match route.body {
            Body::Field(_) => return Err(Problem::invalid("body", "is required")),
            Body::None | Body::All => None,
        });
    }
    if matches!(route.body, Body::None) {
        return Err(Problem::invalid(
            "body",
            "must be empty; this method takes none",
        ));
    }
    if !is_json(headers) {
        let problem = Problem::invalid("content-type", "must be application/json in UTF-8");
        return Err(problem
            .with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
            .with_header(header::ACCEPT, "application/json"));
    }
    json::parse(bytes).map(Some)
}

fn is_json(headers: &HeaderMap) -> bool {
    if headers.contains_key(header::CONTENT_ENCODING) {
        return false;
    }
    let given = headers.get(header::CONTENT_TYPE);
    let Some(given) = given.and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let mut parts = given
        .split(';')
        .map(|part| part.trim().to_ascii_lowercase());
    parts.next().is_some_and(|name| name == "application/json")
        && parts.all(|part| {
            part.is_empty() || matches!(part.as_str(), "charset=utf-8" | "charset=\"utf-8\"")
        })
}
