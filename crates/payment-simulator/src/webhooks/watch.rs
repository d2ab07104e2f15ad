//! What is told of webhooks on their way: a span and a measurement each.

use std::sync::LazyLock;
use std::time::Instant;

use reqwest::{StatusCode, Url};
use telemetry::metrics::{Histogram, KeyValue, SECONDS, histogram};
use tracing::Span;
use tracing::field::Empty;

use super::post::{Letter, PostError};

static DURATION: LazyLock<Histogram> = LazyLock::new(|| {
    histogram(
        "http.client.request.duration",
        "s",
        "How long a webhook took.",
        SECONDS,
    )
});

/// One post, in the trace of the request that caused its event.
pub(super) struct Watch {
    template: String,
    span: Span,
    began: Instant,
}

impl Watch {
    pub fn begin(url: &Url, letter: &Letter) -> Watch {
        let event = &letter.event;
        // There is one receiver: its path is a template without variables.
        let template = url.path().to_owned();
        let span = tracing::info_span!(
            parent: None,
            "http client",
            otel.name = format!("POST {template}"),
            otel.kind = "client",
            otel.status_code = Empty,
            http.request.method = "POST",
            http.response.status_code = Empty,
            url.template = template,
            server.address = url.host_str(),
            server.port = url.port_or_known_default().map(i64::from),
            event.id = &*event.id,
            order.id = letter.order.map(display),
            "error.type" = Empty,
        );
        if let Some(traceparent) = &event.traceparent {
            telemetry::propagation::set_parent_from(&span, traceparent);
        }
        Watch {
            template,
            span,
            began: Instant::now(),
        }
    }

    pub fn span(&self) -> Span {
        self.span.clone()
    }

    pub fn end(self, result: &Result<StatusCode, PostError>) {
        let mut labels = vec![
            KeyValue::new("http.request.method", "POST"),
            KeyValue::new("url.template", self.template),
        ];
        let status = match result {
            Ok(status) => Some(status.as_u16()),
            Err(PostError::Refused(status)) => Some(*status),
            Err(_) => None,
        };
        let error = result.as_ref().err().map(kind);
        if let Some(status) = status.map(i64::from) {
            self.span.record("http.response.status_code", status);
            labels.push(KeyValue::new("http.response.status_code", status));
        } else if let Some(error) = &error {
            labels.push(KeyValue::new("error.type", error.clone()));
        }
        if let Some(error) = error {
            self.span.record("otel.status_code", "ERROR");
            self.span.record("error.type", error);
        }
        let seconds = self.began.elapsed().as_secs_f64();
        self.span.in_scope(|| DURATION.record(seconds, &labels));
    }
}

fn kind(error: &PostError) -> String {
    match error {
        PostError::Refused(status) => status.to_string(),
        PostError::TimedOut(_) => "timeout".to_owned(),
        PostError::Exchange(error) if error.is_connect() => "connect".to_owned(),
        _ => "exchange".to_owned(),
    }
}
