//! What is recorded of calls. Counters belong to a process, so each test runs
//! in one of its own.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use http::{HeaderMap, HeaderValue};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use limits::Limits;
use redis_connection::Redis;
use testkit::metrics::{alone, counted};
use tonic::{Code, server::NamedService};

use super::*;
use crate::{HttpSettings, ServerSettings, Settings};

/// Answers as the name of the method says.
#[derive(Clone)]
struct Shelf;

impl NamedService for Shelf {
    const NAME: &'static str = "cartwright.inventory.v1.InventoryService";
}

impl Service<Request<Body>> for Shelf {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let method = request.uri().path().rsplit('/').next().unwrap_or_default();
        match method {
            "GetStock" => answered(Code::Ok),
            "ListStock" => answered(Code::NotFound),
            "Reserve" => {
                let refusal = Status::failed_precondition("not now").into_http();
                async { Ok(refusal) }.boxed()
            }
            "WatchStock" => {
                let frames = stream::iter([message()]).chain(stream::pending());
                async { Ok(streamed(frames)) }.boxed()
            }
            "Release" => async { panic!("a bug of the handler") }.boxed(),
            _ => std::future::pending().boxed(),
        }
    }
}

type Framed = Result<Frame<Bytes>, Status>;

fn message() -> Framed {
    Ok(Frame::data(Bytes::from_static(&[0; 5])))
}

/// A message, and the code behind it.
fn answered(code: Code) -> BoxFuture<'static, Result<Response<Body>, Infallible>> {
    let mut trailers = HeaderMap::new();
    trailers.insert(Status::GRPC_STATUS, HeaderValue::from(code as i32));
    let frames = stream::iter([message(), Ok(Frame::trailers(trailers))]);
    async { Ok(streamed(frames)) }.boxed()
}

fn streamed(frames: impl futures::Stream<Item = Framed> + Send + 'static) -> Response<Body> {
    Response::new(Body::new(StreamBody::new(frames)))
}

fn gated(places: usize) -> Gated {
    let anywhere = "127.0.0.1:0".parse().unwrap();
    let redis = Redis::new(redis_connection::Settings::new("redis://127.0.0.1:1"));
    let settings = Settings {
        server: ServerSettings {
            max_concurrent_requests: places,
            max_waiting_requests: 0,
            ..ServerSettings::at(anywhere, "a secret".into())
        },
        http: HttpSettings::at(anywhere),
        connections: listener::Limits::default(),
        tls: None,
        limits: limits::Settings::default(),
        auth: auth::Settings::none(),
        redis: redis.clone(),
    };
    let methods = api::contract::methods(&[Shelf::NAME]).unwrap();
    let limits = Limits::new(redis, settings.limits.clone());
    let gate = Gate::new(&settings, methods, None, limits);
    Gated::new(Arc::new(gate), Routes::new(Shelf))
}

fn request(path: &str) -> Request<Body> {
    let peer = Peer {
        address: "127.0.0.1:5000".parse().unwrap(),
        names: Arc::default(),
    };
    Request::post(path)
        .header(CONTENT_TYPE, "application/grpc")
        .extension(peer)
        .body(Body::empty())
        .unwrap()
}

fn of_stock(method: &str) -> Request<Body> {
    request(&format!("/{}/{method}", Shelf::NAME))
}

async fn ask(gated: &Gated, request: Request<Body>) -> Response<Body> {
    gated.clone().oneshot(request).await.unwrap()
}

fn ended(method: &str, code: &str) -> f64 {
    let labels = [("rpc_method", method), ("rpc_grpc_status_code", code)];
    counted("rpc_server_duration_seconds_count", &labels)
}

fn refusals(reason: &str) -> f64 {
    counted("calls_refused_total", &[("reason", reason)])
}

#[test]
fn the_code_of_a_call_is_that_in_its_trailers_or_else_in_its_headers() {
    alone(
        "layer::tests::the_code_of_a_call_is_that_in_its_trailers_or_else_in_its_headers",
        || async {
            let gated = gated(10);
            for (method, code) in [
                ("GetStock", "0"),
                ("ListStock", "5"),
                ("Reserve", "9"),
                ("Release", "13"),
            ] {
                let answer = ask(&gated, of_stock(method)).await;
                answer.into_body().collect().await.unwrap();
                assert_eq!(ended(method, code), 1.0, "{method}");
            }
            let all = [("rpc_service", Shelf::NAME)];
            assert_eq!(counted("rpc_server_duration_seconds_count", &all), 4.0);
            assert_eq!(counted("rpc_server_active", &[]), 0.0);
            assert_eq!(counted("calls_refused_total", &[]), 0.0);
        },
    );
}

#[test]
fn a_stream_runs_until_its_end_and_is_cancelled_by_who_lets_it_go() {
    alone(
        "layer::tests::a_stream_runs_until_its_end_and_is_cancelled_by_who_lets_it_go",
        || async {
            let gated = gated(10);
            let mut stream = ask(&gated, of_stock("WatchStock")).await.into_body();
            stream.frame().await.unwrap().unwrap();
            assert_eq!(counted("rpc_server_active", &[]), 1.0);
            assert_eq!(ended("WatchStock", "1"), 0.0);
            drop(stream);
            assert_eq!(counted("rpc_server_active", &[]), 0.0);
            assert_eq!(ended("WatchStock", "1"), 1.0);

            let unanswered = ask(&gated, of_stock("Commit"));
            let left = tokio::time::timeout(Duration::from_millis(50), unanswered).await;
            left.unwrap_err();
            assert_eq!(ended("Commit", "1"), 1.0);
            assert_eq!(counted("rpc_server_active", &[]), 0.0);
        },
    );
}

#[test]
fn a_call_that_is_not_let_in_counts_by_its_reason() {
    alone(
        "layer::tests::a_call_that_is_not_let_in_counts_by_its_reason",
        || async {
            let full = gated(0);
            let answer = ask(&full, of_stock("GetStock")).await;
            assert_eq!(answer.headers()[Status::GRPC_STATUS], "8");
            assert_eq!(refusals("OVERLOADED"), 1.0);
            assert_eq!(ended("GetStock", "8"), 1.0);
            assert_eq!(counted("calls_refused_total", &[]), 1.0);
        },
    );
}

#[test]
fn what_strangers_call_methods_makes_no_series_of_its_own() {
    alone(
        "layer::tests::what_strangers_call_methods_makes_no_series_of_its_own",
        || async {
            let gated = gated(10);
            for path in ["/any.Thing/Spam1", "/any.Thing/Spam2", "/Spam3"] {
                ask(&gated, request(path)).await;
            }
            ask(&gated, of_stock("Spam4")).await;
            assert_eq!(ended("_OTHER", "12"), 4.0);
            assert_eq!(refusals("UNKNOWN_METHOD"), 4.0);
            let text = telemetry::metrics::text(telemetry::metrics::Format::Prometheus);
            assert!(
                !text.contains("Spam") && !text.contains("any.Thing"),
                "{text}"
            );
        },
    );
}
