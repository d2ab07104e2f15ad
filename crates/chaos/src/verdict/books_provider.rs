//! The provider's books: its journal, read here line by line without any code of
//! the provider's, and the sums that it shows by itself.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::site::Site;

#[derive(Debug, Clone, Deserialize)]
pub struct Intent {
    pub id: String,
    pub amount_minor: i64,
    pub status: String,
    #[serde(default)]
    pub captured_minor: i64,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Refund {
    pub id: String,
    pub intent: String,
    pub amount_minor: i64,
    /// A word, or an object while it is pending.
    state: serde_json::Value,
}

/// A line: whole states after a change, so the last one of an object counts.
#[derive(Debug, Deserialize)]
struct Line {
    intent: Option<Intent>,
    refund: Option<Refund>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Totals {
    pub captured_minor: i64,
    pub capturable_minor: i64,
    pub refunded_minor: i64,
    pub refund_pending_minor: i64,
}

#[derive(Debug, Default)]
pub struct Provider {
    pub intents: BTreeMap<String, Intent>,
    refunds: HashMap<String, Vec<Refund>>,
    /// What the provider itself shows, over all currencies.
    pub shown: Totals,
}

impl Provider {
    pub async fn read(site: &Site) -> Result<Self> {
        let shown = shown(site).await?;
        let journal = site.journal.clone();
        let read = tokio::task::spawn_blocking(move || {
            let file = File::open(&journal).with_context(|| journal.display().to_string())?;
            lines(BufReader::new(file))
        });
        let (intents, refunds) = read.await??;
        let mut by_intent: HashMap<String, Vec<Refund>> = HashMap::new();
        for refund in refunds.into_values() {
            by_intent
                .entry(refund.intent.clone())
                .or_default()
                .push(refund);
        }
        Ok(Self {
            intents,
            refunds: by_intent,
            shown,
        })
    }

    pub fn refunds(&self, intent: &str) -> &[Refund] {
        self.refunds.get(intent).map_or(&[], Vec::as_slice)
    }

    /// What was given back for good.
    pub fn refunded_minor(&self, intent: &str) -> i64 {
        let refunds = self.refunds(intent).iter();
        let succeeded = refunds.filter(|refund| refund.succeeded());
        succeeded.map(|refund| refund.amount_minor).sum()
    }

    pub fn refund_pending_minor(&self, intent: &str) -> i64 {
        let refunds = self.refunds(intent).iter();
        let pending = refunds.filter(|refund| refund.is_pending());
        pending.map(|refund| refund.amount_minor).sum()
    }

    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for intent in self.intents.values() {
            totals.captured_minor += intent.captured_minor;
            totals.capturable_minor += intent.capturable_minor();
            totals.refunded_minor += self.refunded_minor(&intent.id);
            totals.refund_pending_minor += self.refund_pending_minor(&intent.id);
        }
        totals
    }
}

impl Intent {
    /// The order that it was made for, as its maker said.
    pub fn order(&self) -> Option<&str> {
        self.metadata.get("order_id").map(String::as_str)
    }

    pub fn payment(&self) -> Option<&str> {
        self.metadata.get("payment_id").map(String::as_str)
    }

    pub fn capturable_minor(&self) -> i64 {
        match self.status.as_str() {
            "requires_capture" => self.amount_minor - self.captured_minor,
            _ => 0,
        }
    }
}

impl Refund {
    pub fn succeeded(&self) -> bool {
        self.state == "succeeded"
    }

    pub fn is_pending(&self) -> bool {
        self.state.get("pending").is_some()
    }
}

type Objects = (BTreeMap<String, Intent>, BTreeMap<String, Refund>);

fn lines(journal: impl BufRead) -> Result<Objects> {
    let (mut intents, mut refunds) = (BTreeMap::new(), BTreeMap::new());
    for (number, line) in (1..).zip(journal.lines()) {
        let line = line?;
        if number == 1 {
            ensure!(
                line.contains("payment-simulator"),
                "not its journal: {line}"
            );
            continue;
        }
        let line: Line = serde_json::from_str(&line).with_context(|| format!("line {number}"))?;
        if let Some(intent) = line.intent {
            intents.insert(intent.id.clone(), intent);
        }
        if let Some(refund) = line.refund {
            refunds.insert(refund.id.clone(), refund);
        }
    }
    Ok((intents, refunds))
}

async fn shown(site: &Site) -> Result<Totals> {
    let url = format!("{}/_simulator/books", site.provider.url);
    let request = reqwest::Client::new().get(url);
    let request = request.bearer_auth(&site.provider.api_key);
    let answer = request.send().await.context("the provider")?;
    let answer = answer.error_for_status().context("the provider")?;
    let by_currency: BTreeMap<String, Totals> = answer.json().await.context("its books")?;
    let mut all = Totals::default();
    for totals in by_currency.values() {
        all.captured_minor += totals.captured_minor;
        all.capturable_minor += totals.capturable_minor;
        all.refunded_minor += totals.refunded_minor;
        all.refund_pending_minor += totals.refund_pending_minor;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_an_object_counts() {
        let journal = r#"{"journal":"payment-simulator","version":1}
{"at":1,"intent":{"id":"pi_1","amount_minor":100,"status":"requires_capture","metadata":{"order_id":"o"}}}
{"at":2,"intent":{"id":"pi_1","amount_minor":100,"status":"succeeded","captured_minor":100},"events":[]}
{"at":3,"refund":{"id":"re_1","intent":"pi_1","amount_minor":30,"state":{"pending":{"settles_at_ms":1,"succeeds":true}}}}
{"at":4,"refund":{"id":"re_1","intent":"pi_1","amount_minor":30,"state":"succeeded"}}
{"at":5,"delivered":["evt_1"]}
"#;
        let (intents, refunds) = lines(journal.as_bytes()).unwrap();
        assert_eq!(intents["pi_1"].captured_minor, 100);
        assert_eq!(intents["pi_1"].capturable_minor(), 0);
        assert!(refunds["re_1"].succeeded() && !refunds["re_1"].is_pending());
    }

    #[test]
    fn what_is_no_journal_is_refused() {
        assert!(lines("{}\n".as_bytes()).is_err());
        let torn = "{\"journal\":\"payment-simulator\"}\n{\"at\":1,";
        assert!(lines(torn.as_bytes()).is_err());
    }
}
