//! Sending an answer, or losing it.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

use super::Api;
use crate::app::Reply;
use crate::books::Answer;
use crate::faults::{Loss, Operation};
use crate::ids;

/// Marks a response that is not to be sent: the connection is closed instead.
#[derive(Clone, Copy)]
pub struct Dropped;

impl Api {
    pub async fn send(&self, reply: Reply) -> Response {
        match reply.lost {
            None => {
                let Answer { status, body } = reply.answer;
                respond(status, body.get().to_owned(), reply.replayed)
            }
            Some(Loss::Drop) => dropped(),
            Some(Loss::Hang) => {
                tokio::select! {
                    () = tokio::time::sleep(self.hold) => {}
                    () = self.app.stop.cancelled() => {}
                }
                dropped()
            }
        }
    }

    /// The answer to a question, which changes nothing.
    pub async fn send_found(&self, answer: Answer, operation: Operation) -> Response {
        let lost = self.app.loses_answer(Some(operation));
        self.send(Reply {
            answer,
            replayed: false,
            lost,
        })
        .await
    }
}

pub fn respond(status: u16, body: String, replayed: bool) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    if let Ok(id) = HeaderValue::from_str(&ids::random("req")) {
        headers.insert("request-id", id);
    }
    if replayed {
        headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    if status == 401 {
        let basic = HeaderValue::from_static("Basic realm=\"payment-simulator\"");
        headers.insert(header::WWW_AUTHENTICATE, basic);
    }
    response
}

fn dropped() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Dropped);
    response
}
