//! Requests over HTTP: path, query, headers and JSON into the message of a
//! method, and its answer into JSON. The service behind is one that knows every
//! method and answers with what it was asked, if that can be an answer.

use std::{convert::Infallible, sync::LazyLock};

use api::contract::{self, Method};
use axum::{Router, body::Body};
use bytes::{BufMut, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use prost_reflect::{DynamicMessage, MessageDescriptor};
use tokio::runtime::{Builder, Runtime};
use tonic::Status;
use tower::{ServiceExt, service_fn};

use crate::text::{lines, lossy};

const SERVICES: [&str; 6] = [
    "cartwright.order.v1.OrderService",
    "cartwright.order.v1.OrderAdminService",
    "cartwright.payment.v1.PaymentService",
    "cartwright.payment.v1.PaymentAdminService",
    "cartwright.inventory.v1.InventoryService",
    "cartwright.inventory.v1.InventoryAdminService",
];

static METHODS: LazyLock<Vec<Method>> = LazyLock::new(|| {
    SERVICES
        .iter()
        .flat_map(|one| contract::methods(&[one]).unwrap())
        .collect()
});

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().enable_time().build().unwrap();
    static ROUTERS: Vec<Router> = SERVICES.chunks(2).map(router).collect();
}

fn router(services: &[&str]) -> Router {
    let settings = rest::Settings::default();
    let methods = contract::methods(services).unwrap();
    rest::router(service_fn(echo), &methods, &settings).unwrap()
}

/// As in HTTP/1.1: a line with the verb and the target, headers, an empty
/// line, a body.
pub(crate) fn rest_request(data: &[u8]) {
    let Some(request) = read(data) else { return };
    RUNTIME.with(|runtime| {
        ROUTERS.with(|routers| {
            for router in routers {
                let (parts, body) = request.clone().into_parts();
                let request = Request::from_parts(parts, Body::from(body));
                runtime.block_on(check(router.clone(), request));
            }
        });
    });
}

fn read(data: &[u8]) -> Option<Request<Bytes>> {
    let [first, mut rest] = lines(data);
    let first = lossy(first);
    let (verb, target) = first.split_once(' ')?;
    let mut headers = HeaderMap::new();
    loop {
        let [line, behind] = lines(rest);
        rest = behind;
        if line.is_empty() {
            break;
        }
        let at = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..at]).ok()?;
        let value = HeaderValue::from_bytes(line[at + 1..].trim_ascii()).ok()?;
        headers.append(name, value);
    }
    let mut request = Request::builder().method(verb).uri(target);
    *request.headers_mut()? = headers;
    request.body(Bytes::copy_from_slice(rest)).ok()
}

/// An answer is JSON, and no mistake of a client is one of the server.
async fn check(router: Router, request: Request<Body>) {
    let is_head = request.method() == http::Method::HEAD;
    let response = router
        .oneshot(request)
        .await
        .unwrap_or_else(|never| match never {});
    let (parts, body) = response.into_parts();
    assert!(!parts.status.is_server_error(), "{parts:?}");
    let body = body.collect().await.unwrap().to_bytes();
    let kind = parts.headers.get(header::CONTENT_TYPE);
    let kind = kind.map_or("", |kind| kind.to_str().unwrap());
    if parts.status.is_client_error() {
        assert_eq!(kind, "application/problem+json", "{parts:?}");
        if !is_head {
            problem(parts.status, &body);
        }
    } else if kind == "application/json" && !is_head {
        serde_json::from_slice::<serde_json::Value>(&body).unwrap();
    }
}

fn problem(status: StatusCode, body: &[u8]) {
    let problem: serde_json::Value = serde_json::from_slice(body).unwrap();
    assert_eq!(problem["status"], status.as_u16());
    for member in ["type", "title", "detail", "reason"] {
        let text = problem[member].as_str().unwrap_or_default();
        assert!(!text.is_empty(), "{problem}");
    }
}

/// Takes what the router made of the request: a message of the method.
async fn echo(
    request: Request<tonic::body::Body>,
) -> Result<Response<tonic::body::Body>, Infallible> {
    let path = request.uri().path().to_owned();
    let method = METHODS.iter().find(|method| method.path == path).unwrap();
    let Ok(body) = request.into_body().collect().await else {
        return Ok(Status::invalid_argument("unreadable").into_http());
    };
    let body = body.to_bytes();
    let message = message(&body).expect("one framed message");
    decoded(method.descriptor.input(), message).expect("a message of the method");
    Ok(match decoded(method.descriptor.output(), message) {
        Some(_) => answered(&body),
        None => Status::not_found("nothing").into_http(),
    })
}

fn message(body: &[u8]) -> Option<&[u8]> {
    let (header, message) = body.split_at_checked(5)?;
    let length = u32::from_be_bytes(header[1..].try_into().ok()?);
    (header[0] == 0 && length as usize == message.len()).then_some(message)
}

fn decoded(descriptor: MessageDescriptor, bytes: &[u8]) -> Option<DynamicMessage> {
    DynamicMessage::decode(descriptor, bytes).ok()
}

fn answered(frame: &[u8]) -> Response<tonic::body::Body> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let mut bytes = Vec::with_capacity(frame.len());
    bytes.put_slice(frame);
    let body = Full::new(Bytes::from(bytes)).with_trailers(async move { Some(Ok(trailers)) });
    let mut response = Response::new(tonic::body::Body::new(body.map_err(|never| match never {})));
    let kind = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
