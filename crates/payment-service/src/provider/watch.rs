//! What is told of calls to the provider: a span and a measurement each. Never
//! the form, which is the customer's, nor an id of the provider's in a name.

use std::sync::LazyLock;
use std::time::Instant;

use reqwest::{Method, StatusCode, Url};
use telemetry::metrics::{Histogram, KeyValue, SECONDS, histogram};
use tracing::Span;
use tracing::field::Empty;
use types::{OrderId, PaymentId};

static DURATION: LazyLock<Histogram> = LazyLock::new(|| {
    histogram(
        "http.client.request.duration",
        "s",
        "How long a request to the payment provider took.",
        SECONDS,
    )
});

/// What a call is for, and where it goes.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    template: &'static str,
    pub(super) path: String,
    payment: Option<PaymentId>,
    order: Option<OrderId>,
}

impl Call {
    pub(super) fn new(method: Method, template: &'static str) -> Call {
        Call {
            method,
            template,
            path: template.to_owned(),
            payment: None,
            order: None,
        }
    }

    /// Of the object with this id there.
    pub(super) fn of(method: Method, template: &'static str, id: &str) -> Call {
        Call {
            path: template.replace("{id}", id),
            ..Call::new(method, template)
        }
    }

    pub(super) fn paying(self, payment: PaymentId, order: Option<OrderId>) -> Call {
        Call {
            payment: Some(payment),
            order,
            ..self
        }
    }
}

/// A call that is on its way.
pub(super) struct Watch<'a> {
    call: &'a Call,
    span: Span,
    began: Instant,
    status: Option<StatusCode>,
}

impl<'a> Watch<'a> {
    pub(super) fn begin(call: &'a Call, provider: Option<&Url>) -> Watch<'a> {
        let (method, template) = (&call.method, call.template);
        let port = provider.and_then(Url::port_or_known_default);
        let span = tracing::info_span!(
            "http client",
            otel.name = format!("{method} {template}"),
            otel.kind = "client",
            otel.status_code = Empty,
            http.request.method = method.as_str(),
            http.response.status_code = Empty,
            url.template = template,
            server.address = provider.and_then(Url::host_str),
            server.port = port.map(i64::from),
            payment.id = call.payment.map(display),
            order.id = call.order.map(display),
            "error.type" = Empty,
        );
        Watch {
            call,
            span,
            began: Instant::now(),
            status: None,
        }
    }

    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// The head of the answer is there.
    pub(super) fn answered(&mut self, status: StatusCode) {
        let code = i64::from(status.as_u16());
        self.span.record("http.response.status_code", code);
        self.status = Some(status);
    }

    /// `lost`: all or the rest of the answer never came.
    pub(super) fn end(self, lost: Option<&reqwest::Error>) {
        let refused = self.status.filter(|status| !status.is_success());
        let error = lost.map(kind).map(str::to_owned);
        let error = error.or_else(|| refused.map(|status| status.as_str().to_owned()));
        if let Some(error) = &error {
            self.span.record("otel.status_code", "ERROR");
            self.span.record("error.type", error);
        }
        let mut labels = vec![
            KeyValue::new("http.request.method", self.call.method.to_string()),
            KeyValue::new("url.template", self.call.template),
        ];
        labels.push(match (self.status, error) {
            (Some(status), _) => {
                KeyValue::new("http.response.status_code", i64::from(status.as_u16()))
            }
            (None, error) => KeyValue::new("error.type", error.unwrap_or_default()),
        });
        let seconds = self.began.elapsed().as_secs_f64();
        self.span.in_scope(|| DURATION.record(seconds, &labels));
    }
}

fn kind(lost: &reqwest::Error) -> &'static str {
    match lost {
        lost if lost.is_timeout() => "timeout",
        lost if lost.is_connect() => "connect",
        _ => "exchange",
    }
}
