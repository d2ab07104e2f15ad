//! One attempt to deliver one event.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, header};
use reqwest::{Client, StatusCode, Url, redirect};
use secrecy::{ExposeSecret, SecretString};
use tokio::task::JoinSet;
use tracing::Instrument;
use types::OrderId;

use super::watch::Watch;
use super::{Surroundings, signature};
use crate::books::entry::Entry;
use crate::books::{Books, BooksError, Undelivered};
use crate::faults::Faults;
use crate::methods::Quirk;
use crate::wire;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const TRIPLED: u32 = 3;

pub(super) struct Poster {
    client: Client,
    url: Url,
    secret: SecretString,
    timeout: Duration,
    books: Arc<Books>,
    pub faults: Arc<Faults>,
    public_url: String,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum PostError {
    #[error("the receiver answered {0}")]
    Refused(u16),
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    #[error("no answer: {0}")]
    Exchange(#[from] reqwest::Error),
    #[error("the journal has no such event")]
    NoSuchEvent,
    #[error(transparent)]
    Books(#[from] BooksError),
    #[error("the event cannot be rendered: {0}")]
    Render(#[from] serde_json::Error),
    #[error("no copy was sent")]
    NotSent,
}

/// An event as it is sent.
#[derive(Clone)]
pub(super) struct Letter {
    pub event: Undelivered,
    /// The shop's order that it is about.
    pub order: Option<OrderId>,
    body: Vec<u8>,
}

/// As the shop has noted it with the intent or the refund.
fn order_of(entry: &Entry) -> Option<OrderId> {
    let intent = entry.intent.as_ref().map(|intent| &intent.metadata);
    let refund = entry.refund.as_ref().map(|refund| &refund.metadata);
    let mut noted = refund.into_iter().chain(intent);
    noted.find_map(|metadata| OrderId::parse(metadata.get("order_id")?).ok())
}

impl Poster {
    pub fn new(
        url: Url,
        settings: &crate::settings::WebhookSettings,
        around: Surroundings,
    ) -> reqwest::Result<Arc<Poster>> {
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Arc::new(Poster {
            client,
            url,
            secret: settings.secret.clone(),
            timeout: Duration::from_millis(settings.timeout_ms),
            books: around.books,
            faults: around.faults,
            public_url: around.public_url,
        }))
    }

    /// Posts the event, in as many copies as the faults ask for, at once. One
    /// 2xx is enough.
    pub async fn deliver(self: &Arc<Self>, event: &Undelivered) -> Result<(), PostError> {
        let entry = self.books.entry(event.place).await?;
        let rendered = wire::event(&entry, &event.id, &self.public_url)?;
        let letter = Letter {
            event: event.clone(),
            order: order_of(&entry),
            body: serde_json::to_vec(&rendered.ok_or(PostError::NoSuchEvent)?)?,
        };
        let quirk = entry.intent.map(|intent| intent.quirk());
        let copies = match quirk {
            Some(Quirk::WebhooksTripled) => self.faults.webhook_copies().max(TRIPLED),
            _ => self.faults.webhook_copies(),
        };
        if copies == 1 {
            return self.post(letter).await;
        }
        let mut posts = JoinSet::new();
        for _ in 0..copies {
            let (poster, letter) = (Arc::clone(self), letter.clone());
            posts.spawn(async move { poster.post(letter).await });
        }
        let results = posts.join_all().await;
        let any = results.into_iter().reduce(Result::or);
        any.unwrap_or(Err(PostError::NotSent))
    }

    pub fn note_delivered(&self, event: &Undelivered) {
        // Not noted means sent once more after a restart.
        if let Err(error) = self.books.delivered(crate::app::now(), &event.id) {
            tracing::warn!(%error, event.id = %event.id, "a delivered event was not noted");
        }
    }

    async fn post(&self, letter: Letter) -> Result<(), PostError> {
        let watch = Watch::begin(&self.url, &letter);
        let result = self.exchange(letter.body).instrument(watch.span()).await;
        watch.end(&result);
        result.map(drop)
    }

    /// To be run in the span of the post: the receiver goes on below it.
    async fn exchange(&self, body: Vec<u8>) -> Result<StatusCode, PostError> {
        let mut headers = HeaderMap::new();
        telemetry::propagation::inject(&mut headers);
        let signature = signature::sign(self.secret.expose_secret(), crate::app::now(), &body);
        let request = self
            .client
            .post(self.url.clone())
            .headers(headers)
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .header(header::USER_AGENT, "payment-simulator/1.0")
            .header("Stripe-Signature", signature)
            .body(body);
        let exchange = async {
            let status = request.send().await?.status();
            match status.is_success() {
                true => Ok(status),
                false => Err(PostError::Refused(status.as_u16())),
            }
        };
        tokio::time::timeout(self.timeout, exchange)
            .await
            .unwrap_or(Err(PostError::TimedOut(self.timeout)))
    }
}
