//! The calls. Each changes something at most once per key.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::{Method, RequestBuilder, StatusCode, Url, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tracing::Instrument;
use types::PaymentId;

use super::watch::{Call, Watch};
use super::wire::{
    ErrorBody, ErrorReply, Found, List, ORDER_ID, PAYMENT_ID, PaymentIntent, REFUND_ID,
};
use super::{ProviderError, Settings, wire};
use crate::domain::{Capture, Intent, Payment, Refund, RefundSeen};

/// Answers keep the shape they had when this was written.
const API_VERSION: &str = "2025-10-29.clover";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
const PAGE_SIZE: &str = "100";

const INTENTS: &str = "/v1/payment_intents";
const REFUNDS: &str = "/v1/refunds";

type Result<T> = std::result::Result<T, ProviderError>;
type Form = Vec<(String, String)>;

#[derive(Clone)]
pub struct Stripe {
    http: reqwest::Client,
    base_url: Arc<str>,
    /// The same; `None` if it is none.
    url: Option<Arc<Url>>,
    api_key: SecretString,
    places: Arc<Semaphore>,
}

/// A page of a list.
pub struct Listed<T> {
    pub items: Vec<T>,
    /// What the next page comes after.
    pub last: Option<String>,
}

impl Stripe {
    pub fn new(settings: &Settings) -> reqwest::Result<Stripe> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_millis(settings.timeout_ms))
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tcp_nodelay(true)
            .redirect(redirect::Policy::none())
            .build()?;
        Ok(Stripe {
            http,
            base_url: settings.base_url.trim_end_matches('/').into(),
            url: settings.base_url.parse().ok().map(Arc::new),
            api_key: settings.api_key.clone(),
            places: Arc::new(Semaphore::new(settings.concurrency_max.max(1))),
        })
    }

    /// Makes and confirms the intent of a payment, to be captured later.
    pub async fn create(&self, payment: &Payment) -> Result<Intent> {
        let form = vec![
            pair("amount", payment.amount_minor),
            pair("currency", payment.currency.code().to_ascii_lowercase()),
            pair("payment_method", &payment.payment_method),
            pair("payment_method_types[]", "card"),
            pair("capture_method", "manual"),
            pair("confirm", true),
            pair(format!("metadata[{PAYMENT_ID}]"), payment.id),
            pair(format!("metadata[{ORDER_ID}]"), payment.order_id),
        ];
        let key = payment.provider_key.as_str();
        let call = Call::new(Method::POST, INTENTS).paying(payment.id, Some(payment.order_id));
        intent(self.post(call, Some(key), form).await?)
    }

    pub async fn retrieve(&self, reference: &str) -> Result<Intent> {
        let call = Call::of(Method::GET, "/v1/payment_intents/{id}", reference);
        intent(self.get(call, Vec::new()).await?)
    }

    /// The same with what it says it was made for.
    pub async fn look_up(&self, reference: &str) -> Result<Found> {
        let call = Call::of(Method::GET, "/v1/payment_intents/{id}", reference);
        let read: PaymentIntent = self.get(call, Vec::new()).await?;
        read.found().ok_or_else(unknown_currency)
    }

    /// Goes on after the customer's action.
    pub async fn confirm(&self, reference: &str, key: &str) -> Result<Intent> {
        let call = Call::of(Method::POST, "/v1/payment_intents/{id}/confirm", reference);
        intent(self.post(call, Some(key), Vec::new()).await?)
    }

    /// After the last one the rest of what is held is given back.
    pub async fn capture(&self, reference: &str, capture: &Capture) -> Result<Intent> {
        let call = Call::of(Method::POST, "/v1/payment_intents/{id}/capture", reference);
        let call = call.paying(capture.payment_id, None);
        let mut form = vec![pair("amount_to_capture", capture.amount_minor)];
        if !capture.last {
            form.push(pair("final_capture", false));
        }
        let key = capture.id.to_string();
        intent(self.post(call, Some(&key), form).await?)
    }

    /// Without a key: cancelling twice does no harm, and the answer to an
    /// earlier try says nothing about now.
    pub async fn cancel(&self, reference: &str) -> Result<Intent> {
        let call = Call::of(Method::POST, "/v1/payment_intents/{id}/cancel", reference);
        intent(self.post(call, None, Vec::new()).await?)
    }

    pub async fn refund(&self, reference: &str, refund: &Refund) -> Result<RefundSeen> {
        let form = vec![
            pair("payment_intent", reference),
            pair("amount", refund.amount_minor),
            pair(format!("metadata[{PAYMENT_ID}]"), refund.payment_id),
            pair(format!("metadata[{ORDER_ID}]"), refund.order_id),
            pair(format!("metadata[{REFUND_ID}]"), refund.id),
        ];
        let key = refund.id.to_string();
        let call = Call::new(Method::POST, REFUNDS);
        let call = call.paying(refund.payment_id, Some(refund.order_id));
        let made: wire::Refund = self.post(call, Some(&key), form).await?;
        Ok(made.seen(refund.id))
    }

    pub async fn retrieve_refund(&self, reference: &str, refund: &Refund) -> Result<RefundSeen> {
        let call = Call::of(Method::GET, "/v1/refunds/{id}", reference);
        let call = call.paying(refund.payment_id, Some(refund.order_id));
        let read: wire::Refund = self.get(call, Vec::new()).await?;
        Ok(read.seen(refund.id))
    }

    /// Intents made at `created_from` (Unix seconds) or later, newest first.
    pub async fn list(&self, created_from: i64, after: Option<&str>) -> Result<Listed<Found>> {
        let call = Call::new(Method::GET, INTENTS);
        let list: List<PaymentIntent> = self.get(call, page(created_from, after)).await?;
        let last = list.data.last().map(|intent| intent.id.clone());
        Ok(Listed {
            items: list.data.iter().filter_map(PaymentIntent::found).collect(),
            last: last.filter(|_| list.has_more),
        })
    }

    /// Refunds made at `created_from` (Unix seconds) or later, newest first, of
    /// whatever intent.
    pub async fn list_refunds(
        &self,
        created_from: i64,
        after: Option<&str>,
    ) -> Result<Listed<wire::Refund>> {
        let call = Call::new(Method::GET, REFUNDS);
        let list: List<wire::Refund> = self.get(call, page(created_from, after)).await?;
        let last = list.data.last().map(|refund| refund.id.clone());
        Ok(Listed {
            items: list.data,
            last: last.filter(|_| list.has_more),
        })
    }

    /// The intent made for a payment at `created_from` or later, if there is
    /// one: for when its key has been forgotten.
    pub async fn find(&self, payment: PaymentId, created_from: i64) -> Result<Option<Intent>> {
        let mut after = None;
        loop {
            let page = self.list(created_from, after.as_deref()).await?;
            let mut items = page.items.into_iter();
            if let Some(found) = items.find(|found| found.payment == Some(payment)) {
                return Ok(Some(found.intent));
            }
            match page.last {
                Some(last) => after = Some(last),
                None => return Ok(None),
            }
        }
    }

    /// All refunds of an intent.
    pub async fn refunds(&self, reference: &str) -> Result<Vec<wire::Refund>> {
        let mut refunds = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let mut query = vec![pair("payment_intent", reference), pair("limit", PAGE_SIZE)];
            query.extend(after.map(|after| pair("starting_after", after)));
            let call = Call::new(Method::GET, REFUNDS);
            let page: List<wire::Refund> = self.get(call, query).await?;
            after = page.data.last().map(|refund| refund.id.clone());
            refunds.extend(page.data);
            if !page.has_more || after.is_none() {
                return Ok(refunds);
            }
        }
    }

    async fn post<T: DeserializeOwned>(
        &self,
        call: Call,
        key: Option<&str>,
        form: Form,
    ) -> Result<T> {
        let mut request = self.request(&call).form(&form);
        let key = match failpoint::planted!("blind-retry-new-key") {
            true => key.map(|_| uuid::Uuid::now_v7().to_string()),
            false => key.map(str::to_owned),
        };
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        self.send(&call, request).await
    }

    async fn get<T: DeserializeOwned>(&self, call: Call, query: Form) -> Result<T> {
        let request = self.request(&call).query(&query);
        self.send(&call, request).await
    }

    fn request(&self, call: &Call) -> RequestBuilder {
        let url = format!("{}{}", self.base_url, call.path);
        self.http
            .request(call.method.clone(), url)
            .header("Stripe-Version", API_VERSION)
            .bearer_auth(self.api_key.expose_secret())
    }

    async fn send<T: DeserializeOwned>(&self, call: &Call, request: RequestBuilder) -> Result<T> {
        let place = self.places.acquire().await;
        let _place = place.map_err(|_| ProviderError::Unavailable("closing".to_owned()))?;
        let mut watch = Watch::begin(call, self.url.as_deref());
        let span = watch.span();
        let answer = exchange(request, &mut watch).instrument(span).await;
        watch.end(answer.as_ref().err().map(Lost::cause));
        let (status, body) = answer.map_err(not_answered)?;
        if !status.is_success() {
            return Err(refused(status, &body));
        }
        serde_json::from_slice(&body)
            .map_err(|error| ProviderError::Unknown(format!("unreadable answer: {error}")))
    }
}

/// There is no answer, or only the head of one.
enum Lost {
    Whole(reqwest::Error),
    Body(reqwest::Error),
}

impl Lost {
    fn cause(&self) -> &reqwest::Error {
        match self {
            Lost::Whole(error) | Lost::Body(error) => error,
        }
    }
}

/// To be run in the call's span: the provider goes on below it.
async fn exchange(
    request: RequestBuilder,
    watch: &mut Watch<'_>,
) -> std::result::Result<(StatusCode, Bytes), Lost> {
    let mut headers = http::HeaderMap::new();
    telemetry::propagation::inject(&mut headers);
    let reply = request.headers(headers).send().await;
    let reply = reply.map_err(Lost::Whole)?;
    let status = reply.status();
    watch.answered(status);
    Ok((status, reply.bytes().await.map_err(Lost::Body)?))
}

/// No connection means that nothing was sent; anything else may have arrived.
fn not_answered(lost: Lost) -> ProviderError {
    let error = match lost {
        Lost::Whole(error) => error,
        Lost::Body(error) => return ProviderError::Unknown(error.without_url().to_string()),
    };
    let is_connect = error.is_connect();
    let text = format!("{:#}", anyhow::Error::from(error.without_url()));
    match is_connect {
        true => ProviderError::Unavailable(text),
        false => ProviderError::Unknown(text),
    }
}

/// What an answer that is no success means. Whoever is not sure that nothing
/// was done says [`ProviderError::Unknown`].
pub fn refused(status: StatusCode, body: &[u8]) -> ProviderError {
    let said = || format!("HTTP {}", status.as_u16());
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => {
            return ProviderError::Unavailable(said());
        }
        _ if status.is_server_error() || !status.is_client_error() => {
            return ProviderError::Unknown(said());
        }
        _ => {}
    }
    let Ok(ErrorReply { error }) = serde_json::from_slice(body) else {
        return ProviderError::Unknown(said());
    };
    match (status, error.kind.as_deref()) {
        // The first request with the key still runs, or the key stands for
        // another one: in both cases something may have been done.
        (StatusCode::CONFLICT, _) | (_, Some("idempotency_error")) => {
            ProviderError::Unknown(format!("{}: {}", said(), error.message))
        }
        (StatusCode::PAYMENT_REQUIRED, _) => declined(&error),
        (StatusCode::NOT_FOUND, _) => ProviderError::NotFound,
        _ => ProviderError::Refused {
            code: error.best_code(),
            message: error.message,
        },
    }
}

fn declined(error: &ErrorBody) -> ProviderError {
    ProviderError::Declined {
        code: error.best_code(),
        intent: error
            .payment_intent
            .as_ref()
            .and_then(|intent| intent.intent()),
    }
}

fn intent(read: PaymentIntent) -> Result<Intent> {
    read.intent().ok_or_else(unknown_currency)
}

fn unknown_currency() -> ProviderError {
    ProviderError::Unknown("an intent in an unknown currency".to_owned())
}

fn page(created_from: i64, after: Option<&str>) -> Form {
    let mut query = vec![
        pair("limit", PAGE_SIZE),
        pair("created[gte]", created_from.max(0)),
    ];
    query.extend(after.map(|after| pair("starting_after", after)));
    query
}

fn pair(name: impl Into<String>, value: impl ToString) -> (String, String) {
    (name.into(), value.to_string())
}
