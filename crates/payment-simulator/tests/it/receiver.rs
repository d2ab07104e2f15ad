//! A shop's webhook endpoint: keeps what it got, answers what it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use std::sync::Mutex;

#[derive(Clone, Default)]
pub struct Receiver(Arc<Inner>);

#[derive(Default)]
struct Inner {
    address: Mutex<String>,
    got: Mutex<Vec<Delivery>>,
    acknowledged: AtomicUsize,
    refusals_left: AtomicU64,
    delay_ms: AtomicU64,
}

#[derive(Clone, Debug)]
pub struct Delivery {
    pub signature: String,
    pub body: String,
}

impl Delivery {
    pub fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn kind(&self) -> String {
        self.event()["type"].as_str().unwrap().to_owned()
    }
}

impl Receiver {
    pub async fn start() -> Receiver {
        let receiver = Receiver::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        *receiver.0.address.lock().unwrap() = format!("http://{address}/webhooks/stripe");
        let router = Router::new()
            .route("/webhooks/stripe", post(receive))
            .with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    pub fn url(&self) -> reqwest::Url {
        self.0.address.lock().unwrap().parse().unwrap()
    }

    /// Answers 500 so many times.
    pub fn refuse(&self, times: u64) {
        self.0.refusals_left.store(times, Ordering::SeqCst);
    }

    pub fn answer_after(&self, delay: Duration) {
        let delay_ms = u64::try_from(delay.as_millis()).unwrap();
        self.0.delay_ms.store(delay_ms, Ordering::SeqCst);
    }

    pub fn got(&self) -> Vec<Delivery> {
        self.0.got.lock().unwrap().clone()
    }

    pub fn kinds(&self) -> Vec<String> {
        self.got().iter().map(Delivery::kind).collect()
    }

    pub fn acknowledged(&self) -> usize {
        self.0.acknowledged.load(Ordering::SeqCst)
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: String) -> StatusCode {
    let inner = &receiver.0;
    let signature = headers["stripe-signature"].to_str().unwrap().to_owned();
    inner.got.lock().unwrap().push(Delivery { signature, body });
    let delay_ms = inner.delay_ms.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    let refused = inner
        .refusals_left
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            left.checked_sub(1)
        });
    if refused.is_ok() {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    inner.acknowledged.fetch_add(1, Ordering::SeqCst);
    StatusCode::OK
}
