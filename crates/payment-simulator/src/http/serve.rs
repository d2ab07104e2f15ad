//! The requests of a listener, each in a span, and answers that are lost.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::Request;
use tower::{Service, ServiceExt};
use tracing::Instrument;

use super::reply::Dropped;
use super::{Api, router, span};

/// The connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the answer was lost on purpose")]
pub struct AnswerLost;

/// What a listener serves.
pub fn service(
    api: Arc<Api>,
) -> impl Service<Request<listener::Body>, Response = Response, Error = AnswerLost, Future: Send>
+ Clone
+ Send
+ 'static {
    let router = router(api);
    tower::service_fn(move |request| answer(router.clone(), request))
}

async fn answer(router: Router, request: Request<listener::Body>) -> Result<Response, AnswerLost> {
    let span = span::of(&request);
    let answering = router.oneshot(request.map(Body::new));
    let answered: Result<Response, Infallible> = answering.instrument(span.clone()).await;
    match answered {
        Ok(response) if response.extensions().get::<Dropped>().is_some() => {
            span::answered(&span, None);
            Err(AnswerLost)
        }
        Ok(response) => {
            span::answered(&span, Some(response.status()));
            Ok(response)
        }
    }
}
