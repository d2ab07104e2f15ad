//! The answer of a method as a response of HTTP.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use http_body_util::BodyExt;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use prost_reflect::{DynamicMessage, MethodDescriptor, ReflectMessage, Value};
use tonic::{Code, Status};

use crate::{frame::Decoder, problem::Problem, render::Rendered, route::Route};

pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// What a path may hold without being encoded (RFC 3986, unreserved).
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A whole answer: one message, or why there is none.
pub(crate) async fn unary(route: &Route, answer: http::Response<tonic::body::Body>) -> Response {
    let (parts, body) = answer.into_parts();
    let collected = match body.collect().await {
        Ok(collected) => collected,
        Err(status) => return refused(&status, &parts.headers),
    };
    let trailers = collected.trailers().cloned().unwrap_or_default();
    let from = if trailers.contains_key(Status::GRPC_STATUS) {
        &trailers
    } else {
        &parts.headers
    };
    let status = Status::from_header_map(from);
    let status = status.unwrap_or_else(|| Status::unknown("no status"));
    let mut response = match status.code() {
        Code::Ok => succeeded(route, &collected.to_bytes()),
        _ => Problem::from(&status).into_response(),
    };
    pass_on(&trailers, response.headers_mut());
    pass_on(&parts.headers, response.headers_mut());
    response
}

pub(crate) fn refused(status: &Status, headers: &HeaderMap) -> Response {
    let mut response = Problem::from(status).into_response();
    pass_on(headers, response.headers_mut());
    response
}

/// What the services say beside an answer and clients of HTTP know.
fn pass_on(from: &HeaderMap, to: &mut HeaderMap) {
    for name in [REPLAYED, header::WWW_AUTHENTICATE] {
        if let Some(value) = from.get(&name) {
            to.insert(name, value.clone());
        }
    }
}

fn succeeded(route: &Route, bytes: &[u8]) -> Response {
    match decode(&route.method.descriptor, bytes) {
        Some(message) => rendered(route, &message),
        None => {
            tracing::error!(
                rpc.method = route.method.path,
                "an answer could not be decoded"
            );
            Problem::internal().into_response()
        }
    }
}

fn decode(method: &MethodDescriptor, bytes: &[u8]) -> Option<DynamicMessage> {
    let mut decoder = Decoder::default();
    decoder.push(bytes);
    let message = decoder.next().ok()??;
    parse(method, message)
}

/// An answer's message from its bytes.
pub(crate) fn parse(method: &MethodDescriptor, bytes: Bytes) -> Option<DynamicMessage> {
    DynamicMessage::decode(method.output(), bytes).ok()
}

fn rendered(route: &Route, message: &DynamicMessage) -> Response {
    let location = route.method.created.as_deref();
    let location = location.and_then(|template| filled(template, message));
    let status = match route.method.created {
        Some(_) => StatusCode::CREATED,
        None => StatusCode::OK,
    };
    let mut response = (status, Rendered(message).to_vec()).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    let etag = etag(message).map(|etag| format!("\"{etag}\""));
    for (name, value) in [(header::LOCATION, location), (header::ETAG, etag)] {
        if let Some(Ok(value)) = value.map(|value| HeaderValue::from_str(&value)) {
            headers.insert(name, value);
        }
    }
    response
}

/// `/api/orders/{order.id}` with the id of the answer in it.
fn filled(template: &str, message: &DynamicMessage) -> Option<String> {
    let (before, rest) = template.split_once('{')?;
    let (path, after) = rest.split_once('}')?;
    let value = inside(message, path)?;
    let value = utf8_percent_encode(value.as_str()?, IN_PATH).to_string();
    (!value.is_empty()).then(|| format!("{before}{value}{after}"))
}

fn inside(message: &DynamicMessage, path: &str) -> Option<Value> {
    match path.split_once('.') {
        None => message
            .get_field_by_name(path)
            .map(|value| value.into_owned()),
        Some((name, rest)) => inside(message.get_field_by_name(name)?.as_message()?, rest),
    }
}

/// The tag of the one resource in an answer; none where there are several, of
/// which a client could send back the wrong one.
fn etag(message: &DynamicMessage) -> Option<String> {
    let descriptor = message.descriptor();
    let tagged = descriptor.fields().filter(|field| {
        let kind = field.kind();
        kind.as_message()
            .is_some_and(|inner| inner.get_field_by_name("etag").is_some())
    });
    let tagged: Vec<_> = tagged.collect();
    let [field] = tagged.as_slice() else {
        return None;
    };
    let value = inside(message, &format!("{}.etag", field.name()))?;
    value
        .as_str()
        .filter(|etag| !etag.is_empty())
        .map(str::to_owned)
}
