//! One path: finds the method of the verb, and says what it may be asked.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::{FromRequestParts, RawPathParams, Request},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method as Verb, StatusCode, header};
use tracing::{Instrument, Span, field::Empty};

use crate::{
    call::{self, Edge},
    metrics::{self, Measured},
    problem::Problem,
    route::Route,
    settings::Settings,
};
use api::common::v1::ErrorReason as Reason;

/// All methods at one path, by verb.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) edge: Edge,
    pub(crate) settings: Arc<Settings>,
    pub(crate) template: Arc<str>,
    pub(crate) routes: Arc<BTreeMap<&'static str, Arc<Route>>>,
}

impl Place {
    pub(crate) async fn serve(self, request: Request) -> Response {
        let verb = metrics::verb(request.method());
        let span = self.span(verb);
        telemetry::propagation::set_parent(&span, request.headers());
        let measured = Measured::begin(verb, self.template.clone(), span.clone());
        let work = async move {
            let response = self.answer(request).await;
            let status = response.status();
            Span::current().record("http.response.status_code", status.as_u16());
            if status.is_server_error() {
                Span::current().record("otel.status_code", "ERROR");
            }
            response
        };
        measured.answered(work.instrument(span).await)
    }

    /// The path itself is not in it: it may hold what people typed.
    fn span(&self, verb: &'static str) -> Span {
        tracing::info_span!(
            "http",
            otel.name = format!("{verb} {}", self.template),
            otel.kind = "server",
            http.request.method = verb,
            http.route = &*self.template,
            http.response.status_code = Empty,
            otel.status_code = Empty,
        )
    }

    async fn answer(self, request: Request) -> Response {
        let verb = match request.method() {
            &Verb::HEAD => "GET",
            verb => verb.as_str(),
        };
        let Some(route) = self.routes.get(verb).cloned() else {
            return self.other_verb(request.method());
        };
        let (mut parts, body) = request.into_parts();
        if let Err(problem) = acceptable(&parts.headers, route.is_stream()) {
            return problem.into_response();
        }
        let parameters = match RawPathParams::from_request_parts(&mut parts, &()).await {
            Ok(parameters) => parameters,
            Err(_) => {
                return Problem::invalid("path", "must be percent-encoded UTF-8").into_response();
            }
        };
        let parameters = parameters
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let parameters = parameters.collect();
        call::call(self.edge, self.settings, route, parts, parameters, body).await
    }

    fn other_verb(&self, verb: &Verb) -> Response {
        let mut allowed: Vec<&str> = self.routes.keys().copied().collect();
        if self.routes.contains_key("GET") {
            allowed.push("HEAD");
        }
        allowed.push("OPTIONS");
        let allowed = allowed.join(", ");
        if verb == Verb::OPTIONS {
            return (StatusCode::NO_CONTENT, [(header::ALLOW, allowed)]).into_response();
        }
        let detail = format!("this path takes {allowed}");
        Problem::new(Reason::UnknownMethod, detail)
            .with_status(StatusCode::METHOD_NOT_ALLOWED)
            .with_header(header::ALLOW, &allowed)
            .into_response()
    }
}

/// A client that takes no JSON at all is told so before anything is done.
fn acceptable(headers: &HeaderMap, is_stream: bool) -> Result<(), Problem> {
    let ours = if is_stream {
        "text/event-stream"
    } else {
        "application/json"
    };
    let mut given = headers.get_all(header::ACCEPT).iter().peekable();
    if given.peek().is_none() {
        return Ok(());
    }
    let all: Vec<String> = given
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| range.trim().to_ascii_lowercase())
        .collect();
    let (kind, _) = ours.split_once('/').unwrap_or((ours, ""));
    let matches = |range: &String| {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let refused = parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
        let any = name == "*/*" || name == "*" || name == ours || name == format!("{kind}/*");
        any && !refused
    };
    match all.iter().any(matches) {
        true => Ok(()),
        false => Err(Problem::invalid("accept", format!("must take {ours}"))
            .with_status(StatusCode::NOT_ACCEPTABLE)),
    }
}

pub(crate) async fn unknown_path(request: Request) -> Response {
    let verb = metrics::verb(request.method());
    let measured = Measured::begin(verb, metrics::UNKNOWN_ROUTE.into(), Span::none());
    let problem = Problem::new(
        Reason::UnknownMethod,
        "there is nothing at this path; see /openapi.json",
    );
    measured.answered(problem.into_response())
}
