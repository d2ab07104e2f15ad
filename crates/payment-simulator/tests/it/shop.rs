//! A simulator and a client that talks to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use payment_simulator::{Settings, Simulator};
use serde_json::Value;
use tempfile::TempDir;

pub const API_KEY: &str = "sk_test_it";
pub const WEBHOOK_SECRET: &str = "whsec_it";

pub struct Shop {
    simulator: Simulator,
    settings: Settings,
    directory: Arc<TempDir>,
    pub client: reqwest::Client,
}

/// An answer, read to the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    pub status: u16,
    pub replayed: bool,
    pub body: String,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn id(&self) -> String {
        self.json()["id"].as_str().unwrap().to_owned()
    }

    /// Fails the test with the body when the status is another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Got {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }
}

impl Shop {
    pub async fn open() -> Shop {
        Shop::open_with(|_| {}).await
    }

    pub async fn open_with(adjust: impl FnOnce(&mut Settings)) -> Shop {
        let directory = Arc::new(TempDir::new().unwrap());
        let mut settings = Settings::default();
        settings.api.listen = ([127, 0, 0, 1], 0).into();
        settings.api.api_key = API_KEY.into();
        settings.books.directory = directory.path().to_owned();
        settings.webhooks.secret = WEBHOOK_SECRET.into();
        settings.webhooks.retry_ms_min = 20;
        settings.webhooks.retry_ms_max = 100;
        settings.refunds.settle_ms = 200;
        adjust(&mut settings);
        Shop::start(settings, directory).await
    }

    async fn start(settings: Settings, directory: Arc<TempDir>) -> Shop {
        Shop {
            simulator: Simulator::start(&settings).await.unwrap(),
            settings,
            directory,
            client: reqwest::Client::new(),
        }
    }

    /// Stops the simulator and starts another on the same books.
    pub async fn restart(self) -> Shop {
        self.simulator.stop(Duration::from_secs(5)).await;
        Shop::start(self.settings, self.directory).await
    }

    /// Stops the simulator and starts one with these settings.
    pub async fn restart_in(self, settings: &Settings) -> Shop {
        self.simulator.stop(Duration::from_secs(5)).await;
        Shop::start(settings.clone(), self.directory).await
    }

    /// Another simulator on a copy of the journal as it is now: what a process
    /// killed at this moment would find.
    pub async fn killed_copy(&self) -> Shop {
        let directory = Arc::new(TempDir::new().unwrap());
        std::fs::copy(self.journal(), directory.path().join("books.jsonl")).unwrap();
        let mut settings = self.settings.clone();
        settings.books.directory = directory.path().to_owned();
        Shop::start(settings, directory).await
    }

    pub async fn stop(self) -> (Settings, Arc<TempDir>) {
        self.simulator.stop(Duration::from_secs(5)).await;
        (self.settings, self.directory)
    }

    pub fn journal(&self) -> PathBuf {
        self.directory.path().join("books.jsonl")
    }

    pub fn journal_text(&self) -> String {
        std::fs::read_to_string(self.journal()).unwrap()
    }

    pub fn url(&self, path: &str) -> String {
        self.simulator.base_url() + path
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    pub async fn get(&self, path: &str) -> Got {
        let request = self.client.get(self.url(path)).bearer_auth(API_KEY);
        read(request.send().await.unwrap()).await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Got {
        self.try_post(path, form, None).await.unwrap()
    }

    pub async fn post_keyed(&self, path: &str, form: &[(&str, &str)], key: &str) -> Got {
        self.try_post(path, form, Some(key)).await.unwrap()
    }

    /// Gives up after half a second.
    pub async fn post_impatiently(
        &self,
        path: &str,
        form: &[(&str, &str)],
        key: &str,
    ) -> Result<Got, reqwest::Error> {
        let call = self.request(path, form, Some(key));
        let answer = call.timeout(Duration::from_millis(500)).send().await?;
        Ok(read(answer).await)
    }

    pub async fn try_post(
        &self,
        path: &str,
        form: &[(&str, &str)],
        key: Option<&str>,
    ) -> Result<Got, reqwest::Error> {
        Ok(read(self.request(path, form, key).send().await?).await)
    }

    fn request(
        &self,
        path: &str,
        form: &[(&str, &str)],
        key: Option<&str>,
    ) -> reqwest::RequestBuilder {
        let url = self.url(path);
        let request = self.client.post(url).bearer_auth(API_KEY).form(form);
        match key {
            Some(key) => request.header("Idempotency-Key", key),
            None => request,
        }
    }

    /// A confirmed intent of 10.00 GBP with manual capture.
    pub async fn authorize(&self, method: &str) -> Got {
        self.post("/v1/payment_intents", &manual(method)).await
    }

    /// A captured intent of 10.00 GBP.
    pub async fn pay(&self, method: &str) -> String {
        let form = automatic(method);
        let paid = self.post("/v1/payment_intents", &form).await.expect(200);
        paid.id()
    }

    pub async fn status_of(&self, intent: &str) -> String {
        let found = self.get(&format!("/v1/payment_intents/{intent}")).await;
        found.json()["status"].as_str().unwrap().to_owned()
    }

    pub async fn totals(&self) -> Value {
        self.get("/_simulator/books").await.expect(200).json()
    }

    pub async fn set_faults(&self, faults: Value) {
        let request = self.client.post(self.url("/_simulator/faults"));
        let request = request.bearer_auth(API_KEY).json(&faults);
        read(request.send().await.unwrap()).await.expect(200);
    }
}

pub fn manual(method: &str) -> [(&'static str, &str); 5] {
    [
        ("amount", "1000"),
        ("currency", "gbp"),
        ("payment_method", method),
        ("capture_method", "manual"),
        ("confirm", "true"),
    ]
}

pub fn automatic(method: &str) -> [(&'static str, &str); 4] {
    [
        ("amount", "1000"),
        ("currency", "gbp"),
        ("payment_method", method),
        ("confirm", "true"),
    ]
}

pub async fn read(answer: reqwest::Response) -> Got {
    let status = answer.status().as_u16();
    let replayed = answer.headers().contains_key("idempotent-replayed");
    let body = answer.text().await.unwrap();
    Got {
        status,
        replayed,
        body,
    }
}

/// Asks again every 10 ms until it is so; fails after 20 s.
pub async fn eventually<F: AsyncFnMut() -> bool>(what: &str, mut is_so: F) {
    for _ in 0..2000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never came true: {what}");
}

pub fn append(path: &Path, bytes: &[u8]) {
    use std::io::Write;
    let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
}
