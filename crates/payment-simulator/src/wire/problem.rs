use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

/// Stripe's error, with the HTTP status it travels under.
#[derive(Debug, Clone)]
pub struct Problem {
    pub status: u16,
    pub error: Box<ErrorView>,
}

#[derive(Debug, Clone, Serialize)]
pub struct ErrorView {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decline_code: Option<String>,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub param: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_intent: Option<Box<RawValue>>,
    #[serde(rename = "type")]
    pub kind: &'static str,
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a ErrorView,
}

impl Problem {
    pub fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Problem {
        Problem {
            status,
            error: Box::new(ErrorView {
                charge: None,
                code: None,
                decline_code: None,
                message: message.into(),
                param: None,
                payment_intent: None,
                kind,
            }),
        }
    }

    /// 400: the request is wrong, or refused for the state things are in.
    pub fn invalid(message: impl Into<String>) -> Problem {
        Problem::new(400, "invalid_request_error", message)
    }

    pub fn missing(what: &str, id: &str) -> Problem {
        Problem::new(
            404,
            "invalid_request_error",
            format!("No such {what}: '{id}'"),
        )
        .code("resource_missing")
    }

    /// 500: our fault; the caller may repeat with the same key.
    pub fn internal() -> Problem {
        Problem::new(
            500,
            "api_error",
            "An unknown error occurred. Repeat the request with the same idempotency key.",
        )
    }

    pub fn code(mut self, code: impl Into<Cow<'static, str>>) -> Problem {
        self.error.code = Some(code.into());
        self
    }

    pub fn param(mut self, param: impl Into<Cow<'static, str>>) -> Problem {
        self.error.param = Some(param.into());
        self
    }

    pub fn body(&self) -> Result<Box<RawValue>, serde_json::Error> {
        super::render(&Body { error: &self.error })
    }
}
