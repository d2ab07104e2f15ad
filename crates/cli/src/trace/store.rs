//! The trace store as the client sees it.

use std::{fmt, time::Duration};

use reqwest::{Client, StatusCode, Url};
use trace_store::{Found, TraceId};
use types::OrderId;

use crate::failure::Failure;

#[derive(Debug, Clone, Copy)]
pub enum Question {
    Order(OrderId),
    Trace(TraceId),
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(id) => write!(f, "order {id}"),
            Self::Trace(id) => write!(f, "trace {id}"),
        }
    }
}

#[derive(Debug)]
pub struct Store {
    url: Url,
    client: Client,
}

impl Store {
    /// # Errors
    /// When `url` is none.
    pub fn at(url: &str, timeout: Duration) -> Result<Self, Failure> {
        let wrong = |error: &dyn fmt::Display| Failure::BadInput(format!("--url {url}: {error}"));
        let parsed = Url::parse(url).map_err(|error| wrong(&error))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(wrong(&"expected http:// or https://"));
        }
        // A store of this machine is not behind a proxy.
        let client = Client::builder().no_proxy().timeout(timeout).build();
        Ok(Self {
            url: parsed,
            client: client.map_err(|error| wrong(&error))?,
        })
    }

    /// # Errors
    /// When nobody answers, or somebody else does.
    pub async fn ask(&self, question: Question) -> Result<Found, Failure> {
        let mut url = self.url.clone();
        url.set_path("/api/traces");
        match question {
            Question::Order(id) => url.set_query(Some(&format!("order_id={id}"))),
            Question::Trace(id) => url.set_query(Some(&format!("trace_id={id}"))),
        }
        let answer = self.client.get(url).send().await;
        let answer = answer.map_err(|error| self.broken(&error))?;
        let code = answer.status();
        let body = answer.bytes().await.map_err(|error| self.broken(&error))?;
        if code != StatusCode::OK {
            return Err(self.stranger(&format!("it answered {code}")));
        }
        serde_json::from_slice(&body).map_err(|error| self.stranger(&error))
    }

    pub fn has_none(&self, question: Question) -> Failure {
        Failure::Refused(format!(
            "the trace store at {} has no trace of {question}: it keeps the newest ones, in \
             memory, and has a span about a second after its end",
            self.shown()
        ))
    }

    fn broken(&self, error: &reqwest::Error) -> Failure {
        let url = self.shown();
        Failure::Unavailable(match error.is_timeout() && !error.is_connect() {
            true => format!("the trace store at {url} did not answer in time"),
            false => {
                format!("the trace store at {url} cannot be reached: is it running? (make up)")
            }
        })
    }

    fn stranger(&self, why: &dyn fmt::Display) -> Failure {
        let url = self.shown();
        Failure::Internal(format!("what listens at {url} is no trace store: {why}"))
    }

    fn shown(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }
}
