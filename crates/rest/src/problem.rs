//! Errors as RFC 9457 problems, with everything that `google.rpc` details say.

use std::{collections::BTreeMap, time::Duration};

use api::common::v1::ErrorReason as Reason;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt};

use crate::reason;

pub(crate) const CONTENT_TYPE: &str = "application/problem+json";

/// Why a request is refused.
#[derive(Debug, Clone)]
pub(crate) struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    status: StatusCode,
    reason: Reason,
    detail: String,
    fields: Vec<Field>,
    preconditions: Vec<Precondition>,
    metadata: BTreeMap<String, String>,
    resource: Option<Resource>,
    retry_after: Option<Duration>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// One field of the request and what it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Field {
    pub(crate) field: String,
    pub(crate) description: String,
}

#[derive(Debug, Clone, Serialize)]
struct Precondition {
    r#type: String,
    subject: String,
    description: String,
}

#[derive(Debug, Clone, Serialize)]
struct Resource {
    r#type: String,
    name: String,
}

/// The members of a problem document, in the order in which people read them.
#[derive(Debug, Serialize)]
pub(crate) struct Document {
    r#type: String,
    title: String,
    status: u16,
    reason: &'static str,
    detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Field>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    preconditions: Vec<Precondition>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<Resource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
}

impl Problem {
    pub(crate) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            status: reason::status(reason),
            reason,
            detail: detail.into(),
            fields: Vec::new(),
            preconditions: Vec::new(),
            metadata: BTreeMap::new(),
            resource: None,
            retry_after: None,
            headers: Vec::new(),
        }))
    }

    /// One part of the request is wrong.
    pub(crate) fn invalid(field: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::violations(vec![Field {
            field: field.into(),
            description: expected.into(),
        }])
    }

    pub(crate) fn violations(fields: Vec<Field>) -> Self {
        let detail = fields
            .iter()
            .take(20)
            .map(|field| format!("{}: {}", field.field, field.description))
            .collect::<Vec<_>>()
            .join("; ");
        let mut problem = Self::new(Reason::InvalidField, detail);
        problem.0.fields = fields;
        problem
    }

    pub(crate) fn internal() -> Self {
        Self::new(
            Reason::Internal,
            "internal error; the log has the cause under the trace id",
        )
    }

    /// HTTP has a status of its own for some kinds of bad input.
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = status;
        self
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers.push((name, value));
        }
        self
    }

    #[cfg(test)]
    pub(crate) fn detail(&self) -> &str {
        &self.0.detail
    }

    pub(crate) fn document(self) -> Document {
        let parts = *self.0;
        Document {
            r#type: format!("urn:cartwright:problem:{}", parts.reason.code()),
            title: reason::title(parts.reason),
            status: parts.status.as_u16(),
            reason: parts.reason.code(),
            detail: parts.detail,
            fields: parts.fields,
            preconditions: parts.preconditions,
            metadata: parts.metadata,
            resource: parts.resource,
            retry_after_ms: parts
                .retry_after
                .map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
            trace_id: trace_id(),
        }
    }

    fn with_details(mut self, details: &ErrorDetails) -> Self {
        if let Some(bad) = details.bad_request() {
            self.0
                .fields
                .extend(bad.field_violations.iter().map(|field| Field {
                    field: field.field.clone(),
                    description: field.description.clone(),
                }));
        }
        if let Some(failure) = details.precondition_failure() {
            let violations = failure.violations.iter();
            self.0
                .preconditions
                .extend(violations.map(|one| Precondition {
                    r#type: one.r#type.clone(),
                    subject: one.subject.clone(),
                    description: one.description.clone(),
                }));
        }
        if let Some(info) = details.error_info() {
            self.0.metadata.extend(info.metadata.clone());
        }
        if let Some(resource) = details.resource_info() {
            self.0.resource = Some(Resource {
                r#type: resource.resource_type.clone(),
                name: resource.resource_name.clone(),
            });
        }
        self.0.retry_after = details.retry_info().and_then(|info| info.retry_delay);
        self
    }
}

impl From<&Status> for Problem {
    fn from(status: &Status) -> Self {
        let details = status.get_error_details();
        let named = details
            .error_info()
            .and_then(|info| reason::parse(&info.reason));
        let reason = named.unwrap_or_else(|| reason::of_code(status.code()));
        // What the framework says of itself is no help to a caller.
        let detail = match (reason, named) {
            (Reason::Internal, None) => return Self::internal(),
            _ => status.message(),
        };
        Self::new(reason, detail).with_details(&details)
    }
}

impl From<&tonic_types::pb::Status> for Problem {
    fn from(status: &tonic_types::pb::Status) -> Self {
        let details = prost::Message::encode_to_vec(status).into();
        let code = tonic::Code::from_i32(status.code);
        Self::from(&Status::with_details(code, status.message.clone(), details))
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let (status, retry_after) = (self.0.status, self.0.retry_after);
        let headers = std::mem::take(&mut self.0.headers);
        let body = serde_json::to_vec(&self.document()).unwrap_or_default();
        let mut response = (status, body).into_response();
        let all = response.headers_mut();
        all.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        all.extend(headers);
        if let Some(after) = retry_after {
            // Whole seconds, never 0: that would ask for a storm.
            let seconds = after.as_millis().div_ceil(1_000).max(1);
            if let Ok(value) = HeaderValue::from_str(&seconds.to_string()) {
                all.insert(header::RETRY_AFTER, value);
            }
        }
        if status == StatusCode::UNAUTHORIZED {
            let bearer = HeaderValue::from_static("Bearer");
            all.entry(header::WWW_AUTHENTICATE).or_insert(bearer);
        }
        response
    }
}

fn trace_id() -> Option<String> {
    let traceparent = telemetry::propagation::current_traceparent()?;
    traceparent.split('-').nth(1).map(str::to_owned)
}
