//! The provider, whose faults and books are asked for over HTTP.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::Part;
use parking_lot::Mutex;
use payment_simulator::faults::FaultSet;

use super::replica::wait_until_ready;
use super::settings::api_key;

pub(super) const NAME: &str = "payment-simulator";

pub struct Simulator {
    part: Mutex<Part>,
    url: String,
    client: reqwest::Client,
}

impl Simulator {
    pub(super) fn new(part: Part, port: u16) -> Self {
        Self {
            part: Mutex::new(part),
            url: format!("http://127.0.0.1:{port}"),
            client: reqwest::Client::new(),
        }
    }

    pub(super) async fn start(&self, patience: Duration) -> Result<()> {
        self.part.lock().spawn();
        wait_until_ready(&self.part, &self.client, patience).await
    }

    /// Where its API is, past all proxies.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn api_key(&self) -> &'static str {
        api_key()
    }

    /// These and no others from now on.
    pub async fn set_faults(&self, faults: &FaultSet) -> Result<()> {
        let url = format!("{}/_simulator/faults", self.url);
        let request = self.client.post(url).bearer_auth(api_key()).json(faults);
        let answer = request.send().await.context("the simulator")?;
        let status = answer.status();
        ensure!(status.is_success(), "the simulator's faults: {status}");
        Ok(())
    }

    pub async fn heal(&self) -> Result<()> {
        self.set_faults(&FaultSet::default()).await
    }

    /// Everything in the provider's books, as it shows them.
    pub async fn books(&self) -> Result<serde_json::Value> {
        let url = format!("{}/_simulator/books", self.url);
        let request = self.client.get(url).bearer_auth(api_key());
        let answer = request.send().await.context("the simulator")?;
        let books = answer.error_for_status().context("the simulator's books")?;
        Ok(books.json().await?)
    }
}
