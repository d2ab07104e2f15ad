//! What people and programs ask the store: JSON over HTTP.

use std::collections::BTreeMap;

use axum::{
    Json, Router,
    extract::{RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};

use crate::{Found, Metric, Summary, TraceStore};

const ABOUT: &str = "\
The trace store of a laptop: it keeps what processes send by OTLP in memory.

GET /api/traces?order_id=ID    all that was done for an order
GET /api/traces?trace_id=ID    one trace
GET /api/metrics               the latest value of each series
GET /api/summary               how much there is, and what was lost
GET /healthz

`cartwright trace ORDER` draws the first one.
";

pub(crate) fn routes(store: &TraceStore) -> Router {
    Router::new()
        .route("/", get(async || ABOUT))
        .route("/healthz", get(async || "ok\n"))
        .route("/api/traces", get(traces))
        .route("/api/metrics", get(metrics))
        .route("/api/summary", get(summary))
        .with_state(store.clone())
}

async fn traces(
    State(store): State<TraceStore>,
    RawQuery(query): RawQuery,
) -> Result<Json<Found>, Wrong> {
    let query = query.unwrap_or_default();
    match Question::read(&query)? {
        Question::Order(id) => Ok(Json(store.of_order(&id))),
        Question::Trace(id) => Ok(Json(store.of_trace(id))),
    }
}

async fn metrics(State(store): State<TraceStore>) -> Json<Vec<Metric>> {
    Json(store.metrics())
}

async fn summary(State(store): State<TraceStore>) -> Json<Summary> {
    Json(store.summary())
}

#[derive(Debug, PartialEq)]
enum Question {
    Order(String),
    Trace(crate::TraceId),
}

impl Question {
    fn read(query: &str) -> Result<Self, Wrong> {
        let pairs = form_urlencoded::parse(query.as_bytes());
        let pairs: Vec<_> = pairs.collect();
        let [(name, value)] = pairs.as_slice() else {
            return Err(Wrong(
                "expected either order_id or trace_id, once".to_owned(),
            ));
        };
        match name.as_ref() {
            "order_id" if value.is_empty() => Err(Wrong("order_id is empty".to_owned())),
            "order_id" => Ok(Self::Order(value.to_string())),
            "trace_id" => match value.parse() {
                Ok(id) => Ok(Self::Trace(id)),
                Err(error) => Err(Wrong(format!("trace_id: {error}"))),
            },
            other => Err(Wrong(format!(
                "{other:?} is not known, expected order_id or trace_id"
            ))),
        }
    }
}

/// A question that cannot be answered as it is.
#[derive(Debug, PartialEq)]
struct Wrong(String);

impl IntoResponse for Wrong {
    fn into_response(self) -> Response {
        let body = BTreeMap::from([("error", self.0)]);
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panic")]
mod tests {
    use super::*;

    #[test]
    fn a_question_names_one_order_or_one_trace() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let trace = Question::read(&format!("trace_id={id}"));
        assert_eq!(trace, Ok(Question::Trace(id.parse().unwrap())));
        let order = Question::read("order_id=a%20b");
        assert_eq!(order, Ok(Question::Order("a b".to_owned())));
        let told = |query| Question::read(query).unwrap_err().0;
        assert_eq!(
            told("trace_id=12"),
            "trace_id: expected 32 hex digits, not all 0"
        );
        assert!(told("").contains("either order_id or trace_id"));
        assert!(told("order_id=a&order_id=b").contains("once"));
        assert!(told("order_id=").contains("empty"));
        assert!(told("order=a").contains("\"order\" is not known"));
    }
}
