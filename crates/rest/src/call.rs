//! The call of a method in this process: what its request of gRPC carries
//! beside the message.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body as Incoming,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, header, request::Parts};
use tonic::body::Body;
use tower::{BoxError, ServiceExt, util::BoxCloneSyncService};

use crate::{
    answer, body,
    problem::Problem,
    request::{self, Head},
    route::Route,
    settings::Settings,
    stream,
};

/// The service that takes gRPC, with everything that guards it.
pub(crate) type Edge = BoxCloneSyncService<Request<Body>, http::Response<Body>, BoxError>;

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const REQUEST_TIMEOUT: &str = "request-timeout";
const KEY: &str = "idempotency-key";

/// Headers of HTTP that stay what they are.
const PASSED_ON: [&str; 8] = [
    "authorization",
    KEY,
    "user-agent",
    "x-forwarded-for",
    "forwarded",
    "x-real-ip",
    "x-request-id",
    "baggage",
];

pub(crate) async fn call(
    edge: Edge,
    settings: Arc<Settings>,
    route: Arc<Route>,
    parts: Parts,
    parameters: Vec<(String, String)>,
    incoming: Incoming,
) -> Response {
    let timeout = match timeout(&parts.headers) {
        Ok(timeout) => timeout,
        Err(problem) => return problem.into_response(),
    };
    if parts.headers.get_all(KEY).iter().count() > 1 {
        return Problem::invalid(KEY, "must come only once").into_response();
    }
    let mut outgoing = Request::new(Body::empty());
    *outgoing.method_mut() = http::Method::POST;
    *outgoing.uri_mut() = route.grpc.clone();
    *outgoing.version_mut() = http::Version::HTTP_2;
    // A stream is ended here: its time being over is no failure.
    let for_answer = timeout.filter(|_| !route.is_stream());
    *outgoing.headers_mut() = headers(&parts.headers, for_answer);
    *outgoing.extensions_mut() = parts.extensions;
    let head = Head {
        parameters,
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
    };
    let is_async = request::prefers_async(&head.headers);
    let (body, refusal) = body::lazy(route.clone(), settings.clone(), head, incoming);
    *outgoing.body_mut() = body;
    let answered = edge.oneshot(outgoing).await;
    if let Some(problem) = refusal.get() {
        return problem.clone().into_response();
    }
    match answered {
        Ok(answered) if route.is_stream() => {
            stream::events(&route, answered, settings.keepalive_interval(), timeout)
        }
        Ok(answered) => applied(
            answer::unary(&route, answered).await,
            &route,
            is_async,
            &refusal,
        ),
        Err(error) => {
            tracing::error!(error = %error, "the service in this process failed");
            Problem::internal().into_response()
        }
    }
}

/// The body may also be read while the answer is: its refusal counts most.
fn applied(
    mut response: Response,
    route: &Route,
    is_async: bool,
    refusal: &body::Refusal,
) -> Response {
    if let Some(problem) = refusal.get() {
        return problem.clone().into_response();
    }
    let message = prost_reflect::DynamicMessage::new(route.method.descriptor.input());
    if is_async && request::can_accept(&message).is_some() {
        let applied = HeaderValue::from_static("respond-async");
        response.headers_mut().insert("preference-applied", applied);
    }
    response
}

fn headers(from: &HeaderMap, timeout: Option<Duration>) -> HeaderMap {
    let mut to = HeaderMap::new();
    for name in PASSED_ON {
        let name = HeaderName::from_static(name);
        for value in from.get_all(&name) {
            to.append(name.clone(), value.clone());
        }
    }
    to.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/grpc"),
    );
    to.insert(header::TE, HeaderValue::from_static("trailers"));
    if let Some(timeout) = timeout
        && let Ok(value) = HeaderValue::from_str(&format!("{}m", timeout.as_millis()))
    {
        to.insert(GRPC_TIMEOUT, value);
    }
    // The current span and not the caller's: that one is its parent.
    telemetry::propagation::inject(&mut to);
    to
}

/// `Request-Timeout`: seconds, with decimals if need be.
fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, Problem> {
    let Some(value) = headers.get(REQUEST_TIMEOUT) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    let is_plain = !text.is_empty()
        && text.len() <= 8
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds = text.parse().ok().filter(|_| is_plain);
    let timeout = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let timeout = timeout.filter(|timeout| (1..=86_400_000).contains(&timeout.as_millis()));
    let expected = "must be seconds from 0.001 to 86400, such as 2 or 0.5";
    timeout
        .map(Some)
        .ok_or_else(|| Problem::invalid(REQUEST_TIMEOUT, expected))
}
