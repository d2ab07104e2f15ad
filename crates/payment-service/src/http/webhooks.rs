//! `POST /webhooks/{provider}`: signature first, then the event, and 2xx only
//! once it is committed. Whatever could not be applied is a 5xx, so that the
//! provider sends it again.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use bytes::Bytes;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::{ROUTE, signature};
use crate::app::{App, AppError, Applied, STRIPE, Told};
use crate::metrics::{self, Webhook};
use crate::provider::Event;

const BODY_BYTES_MAX: usize = 1024 * 1024;
const BODY_TIME_MAX: Duration = Duration::from_secs(10);

struct Webhooks {
    app: App,
    secrets: Vec<SecretString>,
}

type Answer = (StatusCode, &'static str);

pub fn router(app: App, secrets: Vec<SecretString>) -> Router {
    Router::new()
        .route(ROUTE, post(receive))
        .with_state(Arc::new(Webhooks { app, secrets }))
}

async fn receive(
    State(webhooks): State<Arc<Webhooks>>,
    Path(provider): Path<String>,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let span = span();
    telemetry::propagation::set_parent(&span, &parts.headers);
    let answering = async {
        if provider != STRIPE {
            return (StatusCode::NOT_FOUND, "no such provider\n");
        }
        match read(body).await {
            Ok(body) => webhooks.accept(&parts.headers, &body).await,
            Err(answer) => answer,
        }
    };
    let answer = answering.instrument(span.clone()).await;
    let status = answer.0;
    span.record("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
        span.record("error.type", status.as_str());
    }
    answer
}

/// What the webhook is about is written into it once that is known.
fn span() -> Span {
    tracing::info_span!(
        "http",
        otel.name = format!("POST {ROUTE}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = "POST",
        http.route = ROUTE,
        http.response.status_code = Empty,
        event.id = Empty,
        event.kind = Empty,
        order.id = Empty,
        payment.id = Empty,
        "error.type" = Empty,
    )
}

async fn read(body: Body) -> Result<Bytes, Answer> {
    match tokio::time::timeout(BODY_TIME_MAX, to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err((StatusCode::PAYLOAD_TOO_LARGE, "too large or cut off\n")),
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "too slow\n")),
    }
}

impl Webhooks {
    async fn accept(&self, headers: &HeaderMap, body: &[u8]) -> Answer {
        let header = headers.get("stripe-signature");
        let header = header
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if let Err(error) = signature::verify(header, body, &self.secrets, now_s()) {
            tracing::warn!(%error, "a webhook was not signed by the provider");
            metrics::webhook(Webhook::Refused);
            return (StatusCode::BAD_REQUEST, "bad signature\n");
        }
        let event: Event = match serde_json::from_slice(body) {
            Ok(event) => event,
            Err(error) => {
                tracing::error!(%error, "a webhook cannot be read");
                metrics::webhook(Webhook::Refused);
                return (StatusCode::BAD_REQUEST, "not an event\n");
            }
        };
        Span::current().record("event.id", &event.id);
        Span::current().record("event.kind", &event.kind);
        let told = Told::of(&event, Sha256::digest(body).into());
        // Once handed in it is applied, also if the provider hangs up.
        match self.app.apply_webhook(told).await {
            Ok(Applied::Now) => (StatusCode::OK, "applied\n"),
            Ok(Applied::Before) => (StatusCode::OK, "known\n"),
            Ok(Applied::Ignored) => (StatusCode::OK, "recorded\n"),
            Err(error) => not_applied(&event, &error),
        }
    }
}

fn not_applied(event: &Event, error: &AppError) -> Answer {
    tracing::warn!(%error, event.id = event.id, event.kind = event.kind, "a webhook was not applied");
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "not applied, send it again\n",
    )
}

/// Signatures are made by the provider's clock and checked by this process's:
/// nothing of it is stored.
fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}
